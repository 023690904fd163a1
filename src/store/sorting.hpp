// `sort_by_name`, `sort_by_uid` and `sorted_by_recency` sort pointers to objects; used by merge_list and Index. Any
// thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "store/orders.hpp"

namespace ksr::store {

// A server lists in the order of its keys, so the input is mostly a few long sorted runs, which are
// merged; anything else is sorted from scratch. Throws std::bad_alloc.
template <class Compare>
void sort_runs(std::vector<const Object*>& objects, const Compare& before) {
  constexpr std::size_t kManyRuns = 64;
  std::vector<std::size_t> ends;
  ends.reserve(kManyRuns);
  for (auto at = objects.begin(); at != objects.end();) {
    if (ends.size() == kManyRuns) return std::sort(objects.begin(), objects.end(), before);
    at = std::is_sorted_until(at, objects.end(), before);
    ends.push_back(static_cast<std::size_t>(at - objects.begin()));
  }
  const auto position = [&](std::size_t i) { return objects.begin() + static_cast<std::ptrdiff_t>(i); };
  while (ends.size() > 1) {
    std::size_t begin = 0;
    std::vector<std::size_t> merged;
    for (std::size_t run = 0; run + 1 < ends.size(); run += 2) {
      std::inplace_merge(position(begin), position(ends[run]), position(ends[run + 1]), before);
      begin = ends[run + 1];
      merged.push_back(begin);
    }
    if (ends.size() % 2 == 1) merged.push_back(ends.back());
    ends.swap(merged);
  }
}

inline void sort_by_name(std::vector<const Object*>& objects) {
  sort_runs(objects, [](const Object* a, const Object* b) noexcept { return compare_names(*a, *b) < 0; });
}

inline std::vector<const Object*> sorted_by_recency(const std::vector<const Object*>& objects) {
  std::vector<RecencyProbe> keys;
  keys.reserve(objects.size());
  for (const Object* object : objects) keys.push_back(RecencyProbe::of(*object));
  std::sort(keys.begin(), keys.end(),
            [](const RecencyProbe& a, const RecencyProbe& b) noexcept { return ByRecency::compare(a, b) < 0; });
  std::vector<const Object*> sorted;
  sorted.reserve(keys.size());
  for (const RecencyProbe& key : keys) sorted.push_back(key.object);
  return sorted;
}

inline void sort_by_uid(std::vector<const Object*>& objects) {
  std::sort(objects.begin(), objects.end(), [](const Object* a, const Object* b) noexcept {
    return ByUid::compare({a->uid_hash(), a}, UidProbe::of(*b)) < 0;
  });
}

}  // namespace ksr::store

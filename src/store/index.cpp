#include "store/index.hpp"

#include "store/sorting.hpp"
#include "store/tree_build.hpp"

namespace ksr::store {

Index::Index(bool with_recency, const std::vector<const Object*>& by_uid, const std::vector<const Object*>& by_name)
    : with_recency_(with_recency), by_uid_(build_set<ByUid>(by_uid)), by_name_(build_set<ByName>(by_name)) {
  for (std::size_t i = 0; i < by_name.size(); ++i) by_name[i]->note_name_position(i);
  if (with_recency) by_recency_ = build_set<ByRecency>(sorted_by_recency(by_name));
}

const Object* Index::find_uid(const UidProbe& probe) const noexcept {
  const ByUid::Entry* entry = by_uid_.find(probe);
  return entry != nullptr ? entry->object.get() : nullptr;
}

const Object* Index::find(std::string_view name_space, std::string_view name) const noexcept {
  const ByName::Entry* entry = by_name_.find(NameProbe::of(name_space, name));
  return entry != nullptr ? entry->object : nullptr;
}

const Object* Index::at(std::size_t i) const noexcept {
  if (with_recency_) {
    const ByRecency::Entry* entry = by_recency_.at(i);
    return entry != nullptr ? entry->object : nullptr;
  }
  const ByName::Entry* entry = by_name_.at(i);
  return entry != nullptr ? entry->object : nullptr;
}

IndexNeed Index::need(std::size_t changes) const noexcept {
  // A new name or time is an erasure and an insertion.
  const Need none{0, 0};
  return {by_uid_.need(changes), by_name_.need(2 * changes), with_recency_ ? by_recency_.need(2 * changes) : none};
}

void Index::change(const Object* before, const Object* after, Stocks& stocks) noexcept {
  change_name(before, after, stocks.by_name);
  if (with_recency_) change_recency(before, after, stocks.by_recency);
  change_uid(before, after, stocks.by_uid);
}

void Index::change_name(const Object* before, const Object* after, Stock<ByName>& stock) noexcept {
  if (before != nullptr && after != nullptr && same_name(*before, *after)) return replace_name(*before, *after, stock);
  if (before != nullptr) by_name_.erase(NameProbe::of(*before), stock);
  if (after != nullptr) by_name_.insert(ByName::entry(*after), stock);
}

// Most changes leave the names alone, so an object mostly stands where it stood: that spares comparing names, whose
// texts are spread over all the memory of the cache.
void Index::replace_name(const Object& before, const Object& after, Stock<ByName>& stock) noexcept {
  const auto found =
      by_name_.find_near(before.name_position(), [&](const ByName::Entry& entry) { return entry.object == &before; });
  if (found.entry != nullptr) {
    after.note_name_position(found.position);
    by_name_.replace_at(found.position, {found.entry->hash, &after}, stock);
  } else {
    after.note_name_position(by_name_.replace(ByName::entry(after), stock));
  }
}

void Index::change_recency(const Object* before, const Object* after, Stock<ByRecency>& stock) noexcept {
  if (before != nullptr) by_recency_.erase(RecencyProbe::of(*before), stock);
  if (after != nullptr) by_recency_.insert(ByRecency::entry(*after), stock);
}

void Index::change_uid(const Object* before, const Object* after, Stock<ByUid>& stock) noexcept {
  if (before != nullptr && after != nullptr) {
    by_uid_.replace(ByUid::entry(*after), stock);
  } else if (after != nullptr) {
    by_uid_.insert(ByUid::entry(*after), stock);
  } else if (before != nullptr) {
    by_uid_.erase(UidProbe::of(*before), stock);
  }
}

void reserve(Stocks& stocks, const IndexNeed& need) {
  stocks.by_uid.reserve(need.by_uid.leaves, need.by_uid.inners);
  stocks.by_name.reserve(need.by_name.leaves, need.by_name.inners);
  stocks.by_recency.reserve(need.by_recency.leaves, need.by_recency.inners);
}

}  // namespace ksr::store

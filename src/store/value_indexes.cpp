#include "store/value_indexes.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "store/tree_build.hpp"

namespace ksr::store {
namespace {

// Objects with this many values at most, together, are changed in place.
constexpr std::size_t kFewValues = 8;
// How many objects ahead one that is read is brought into the processor's cache.
constexpr std::size_t kReadAhead = 6;

void prefetch_head(const Object& object) noexcept {
  const char* const begin = reinterpret_cast<const char*>(&object);
  __builtin_prefetch(begin);
  __builtin_prefetch(begin + 64);
  __builtin_prefetch(begin + 128);
}

std::size_t values_of(const Object* object, std::size_t indexes) noexcept {
  return object == nullptr || indexes == 0 ? 0 : object->values_of(indexes - 1).end;
}

// By the hash; those of one hash stay in the order of the view, which is the order of one value.
void sort_by_value(std::vector<ByValue::Entry>& entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const ByValue::Entry& a, const ByValue::Entry& b) noexcept { return a.hash < b.hash; });
  for (auto begin = entries.begin(); begin != entries.end();) {
    const auto end =
        std::find_if(begin, entries.end(), [&](const ByValue::Entry& entry) { return entry.hash != begin->hash; });
    const std::string_view value = ByValue::value(*begin);
    const bool one_value =
        std::all_of(begin, end, [&](const ByValue::Entry& entry) { return ByValue::value(entry) == value; });
    if (!one_value) {
      std::stable_sort(begin, end, [](const ByValue::Entry& a, const ByValue::Entry& b) noexcept {
        return ByValue::value(a) < ByValue::value(b);
      });
    }
    begin = end;
  }
}

}  // namespace

ValueIndexes::ValueIndexes(const std::vector<std::size_t>& columns, bool by_recency) : by_recency_(by_recency) {
  indexes_.reserve(columns.size());
  for (const std::size_t column : columns) indexes_.push_back({column, {}});
}

ValueIndexes ValueIndexes::rebuilt(const std::vector<const Object*>& shown) const {
  ValueIndexes made;
  made.by_recency_ = by_recency_;
  made.indexes_.reserve(indexes_.size());
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    std::vector<ByValue::Entry> entries;
    entries.reserve(shown.size());
    for (const Object* object : shown) {
      const Object::Values values = object->values_of(i);
      for (std::size_t number = values.begin; number < values.end; ++number) {
        entries.push_back(ByValue::entry(*object, number, by_recency_));
      }
    }
    sort_by_value(entries);
    for (std::size_t at = 0; at < entries.size(); ++at) {
      entries[at].object->note_value_position(entries[at].number & ~ByValue::kByRecency, at);
    }
    made.indexes_.push_back(
        {indexes_[i].column, build_set<ByValue>(entries.size(), [&](std::size_t at) { return entries[at]; })});
  }
  return made;
}

const ValueIndexes::One* ValueIndexes::find(std::size_t column) const noexcept {
  const auto found =
      std::find_if(indexes_.begin(), indexes_.end(), [&](const One& one) { return one.column == column; });
  return found != indexes_.end() ? &*found : nullptr;
}

// `run` may be that of the value already.
void ValueIndexes::look_up(const Set& set, std::string_view value, LastLookup::Run& run) noexcept {
  if (run.set == &set && run.value == value) return;
  ValueProbe probe{ValueProbe::hash_of_value(value), value, nullptr, 0, ValueProbe::Bound::before};
  const std::size_t begin = set.rank(probe);
  probe.bound = ValueProbe::Bound::after;
  const std::size_t end = set.rank(probe);
  run = LastLookup::Run();
  if (begin == end) return;
  run = {&set, {}, begin, end, set.leaf_with(begin)};
  run.value = ByValue::value(run.near.entries[begin - run.near.begin]);
}

std::size_t ValueIndexes::count(std::size_t column, std::string_view value, LastLookup& last) const noexcept {
  const One* const one = find(column);
  if (one == nullptr) return 0;
  LastLookup::Run own;
  const LastLookup::Use use(last);
  LastLookup::Run& run = use.run() != nullptr ? *use.run() : own;
  look_up(one->set, value, run);
  return run.end - run.begin;
}

const Object* ValueIndexes::at(std::size_t column, std::string_view value, std::size_t i,
                               LastLookup& last) const noexcept {
  const One* const one = find(column);
  if (one == nullptr) return nullptr;
  LastLookup::Run own;
  const LastLookup::Use use(last);
  LastLookup::Run& run = use.run() != nullptr ? *use.run() : own;
  look_up(one->set, value, run);
  if (i >= run.end - run.begin) return nullptr;
  const std::size_t position = run.begin + i;
  if (position < run.near.begin || position >= run.near.end) run.near = one->set.leaf_with(position);
  const std::size_t within = position - run.near.begin;
  // Those that follow are looked at next.
  if (within + kReadAhead < run.near.end - run.near.begin) prefetch_head(*run.near.entries[within + kReadAhead].object);
  return run.near.entries[within].object;
}

// ---- changes --------------------------------------------------------------------------------------------------------

bool ValueIndexes::has_few_values(const Object* before, const Object* after) noexcept {
  const auto count = [](const Object* object) { return object != nullptr ? object->value_count() : 0; };
  return count(before) + count(after) <= kFewValues;
}

NodeBudget ValueIndexes::budget(const Object* before, const Object* after) const noexcept {
  NodeBudget sum{0, 0};
  std::size_t before_counted = 0;
  std::size_t after_counted = 0;
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    const std::size_t of_before = values_of(before, i + 1);
    const std::size_t of_after = values_of(after, i + 1);
    sum = sum + indexes_[i].set.budget(of_before - before_counted + of_after - after_counted);
    before_counted = of_before;
    after_counted = of_after;
  }
  return sum;
}

// By recency an object moves with each of its versions.
bool ValueIndexes::keeps_places(std::size_t index, const Object* before, const Object* after) const noexcept {
  if (by_recency_ || before == nullptr || after == nullptr || !same_name(*before, *after)) return false;
  const Object::Values old_values = before->values_of(index);
  const Object::Values new_values = after->values_of(index);
  if (old_values.end - old_values.begin != new_values.end - new_values.begin) return false;
  for (std::size_t i = 0; i < old_values.end - old_values.begin; ++i) {
    if (before->value(old_values.begin + i) != after->value(new_values.begin + i)) return false;
  }
  return true;
}

template <class Prepare>
void ValueIndexes::change_each(const Object* before, const Object* after, NodePool<ByValue>& pool,
                               const Prepare& prepare) {
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    Set& set = indexes_[i].set;
    const Object::Values old_values = before != nullptr ? before->values_of(i) : Object::Values{0, 0};
    const Object::Values new_values = after != nullptr ? after->values_of(i) : Object::Values{0, 0};
    if (keeps_places(i, before, after)) {
      for (std::size_t n = 0; n < old_values.end - old_values.begin; ++n) {
        prepare(set);
        replace(set, *before, old_values.begin + n, *after, new_values.begin + n, pool);
      }
      continue;
    }
    for (std::size_t number = old_values.begin; number < old_values.end; ++number) {
      prepare(set);
      set.erase(ByValue::probe(ByValue::entry(*before, number, by_recency_)), pool);
    }
    for (std::size_t number = new_values.begin; number < new_values.end; ++number) {
      prepare(set);
      set.insert(ByValue::entry(*after, number, by_recency_), pool);
    }
  }
}

// As Index::replace_name.
void ValueIndexes::replace(Set& set, const Object& before, std::size_t old_number, const Object& after,
                           std::size_t new_number, NodePool<ByValue>& pool) noexcept {
  const auto found = set.find_near(before.value_position(old_number), [&](const ByValue::Entry& entry) {
    return entry.object == &before && entry.number == old_number;
  });
  std::size_t position = found.position;
  if (found.entry != nullptr) {
    set.replace_at(position, {&after, found.entry->hash, static_cast<std::uint32_t>(new_number)}, pool);
  } else {
    position = set.replace(ByValue::entry(after, new_number, false), pool);
  }
  after.note_value_position(new_number, position);
}

void ValueIndexes::prefetch(const Object* before) const noexcept {
  if (before == nullptr) return;
  for (std::size_t i = 0; i < indexes_.size(); ++i) {
    const Object::Values values = before->values_of(i);
    for (std::size_t n = values.begin; n < values.end; ++n) indexes_[i].set.prefetch_near(before->value_position(n));
  }
}

void ValueIndexes::change(const Object* before, const Object* after, NodePool<ByValue>& pool) noexcept {
  if (before != after) change_each(before, after, pool, [](const Set&) {});
}

ValueIndexes ValueIndexes::changed(const Object* before, const Object* after, NodePool<ByValue>& pool) const {
  ValueIndexes copy = *this;
  if (before == after) return copy;
  copy.change_each(before, after, pool, [&](const Set& set) {
    const NodeBudget budget = set.budget(1);
    pool.reserve(budget.leaves, budget.inners);
  });
  return copy;
}

}  // namespace ksr::store

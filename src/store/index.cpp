#include "store/index.hpp"

#include <algorithm>

#include "store/sorting.hpp"
#include "store/tree_build.hpp"

namespace ksr::store {

Index::Index(bool with_recency, const std::vector<const Object*>& by_uid, const std::vector<const Object*>& by_name,
             const ValueIndexes& values)
    : with_recency_(with_recency), by_uid_(build_set<ByUid>(by_uid)), by_name_(build_set<ByName>(by_name)) {
  for (std::size_t i = 0; i < by_name.size(); ++i) by_name[i]->note_name_position(i);
  if (!with_recency) {
    values_ = values.rebuilt(by_name);
    return;
  }
  const std::vector<const Object*> by_recency = sorted_by_recency(by_name);
  by_recency_ = build_set<ByRecency>(by_recency);
  values_ = values.rebuilt(by_recency);
}

const Object* Index::find_uid(const UidProbe& probe) const noexcept {
  const ByUid::Entry* entry = by_uid_.find(probe);
  return entry != nullptr ? entry->object.get() : nullptr;
}

void Index::prefetch(const UidProbe& probe) const noexcept {
  const Leaf<ByUid>* const leaf = by_uid_.prefetch_leaf(probe);
  if (leaf == nullptr) return;
  // By the hash alone: comparing uids would wait for the objects.
  const ByUid::Entry* const end = leaf->entries + leaf->size;
  const ByUid::Entry* const at =
      std::lower_bound(leaf->entries, end, probe.hash,
                       [](const ByUid::Entry& entry, std::uint64_t hash) noexcept { return entry.hash < hash; });
  if (at != end && at->hash == probe.hash) at->object->prefetch();
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

IndexBudget Index::budget(std::size_t changes) const noexcept {
  // A new name or time is an erasure and an insertion.
  const NodeBudget unused{0, 0};
  return {by_uid_.budget(changes), by_name_.budget(2 * changes),
          with_recency_ ? by_recency_.budget(2 * changes) : unused};
}

void Index::change(const Object* before, const Object* after, NodePools& pools) noexcept {
  change_name(before, after, pools.by_name);
  if (with_recency_) change_recency(before, after, pools.by_recency);
  change_uid(before, after, pools.by_uid);
}

void Index::change_name(const Object* before, const Object* after, NodePool<ByName>& pool) noexcept {
  if (before != nullptr && after != nullptr && same_name(*before, *after)) return replace_name(*before, *after, pool);
  if (before != nullptr) by_name_.erase(NameProbe::of(*before), pool);
  if (after != nullptr) by_name_.insert(ByName::entry(*after), pool);
}

// Most changes do not change names, so an object mostly keeps its position: that saves comparing names, which are
// spread over all the memory of the cache.
void Index::replace_name(const Object& before, const Object& after, NodePool<ByName>& pool) noexcept {
  const auto found =
      by_name_.find_near(before.name_position(), [&](const ByName::Entry& entry) { return entry.object == &before; });
  if (found.entry != nullptr) {
    after.note_name_position(found.position);
    by_name_.replace_at(found.position, {found.entry->hash, &after}, pool);
  } else {
    after.note_name_position(by_name_.replace(ByName::entry(after), pool));
  }
}

void Index::change_recency(const Object* before, const Object* after, NodePool<ByRecency>& pool) noexcept {
  if (before != nullptr) by_recency_.erase(RecencyProbe::of(*before), pool);
  if (after != nullptr) by_recency_.insert(ByRecency::entry(*after), pool);
}

void Index::change_uid(const Object* before, const Object* after, NodePool<ByUid>& pool) noexcept {
  if (before != nullptr && after != nullptr) {
    by_uid_.replace(ByUid::entry(*after), pool);
  } else if (after != nullptr) {
    by_uid_.insert(ByUid::entry(*after), pool);
  } else if (before != nullptr) {
    by_uid_.erase(UidProbe::of(*before), pool);
  }
}

void reserve(NodePools& pools, const IndexBudget& budget) {
  pools.by_uid.reserve(budget.by_uid.leaves, budget.by_uid.inners);
  pools.by_name.reserve(budget.by_name.leaves, budget.by_name.inners);
  pools.by_recency.reserve(budget.by_recency.leaves, budget.by_recency.inners);
}

}  // namespace ksr::store

#include "store/cache_state.hpp"

#include <algorithm>
#include <utility>

#include "store/sorting.hpp"

namespace ksr::store {

CacheState::CacheState(std::size_t limit, const std::vector<std::size_t>& indexed)
    : limit_(limit), all_(limit != 0), window_(limit != 0) {
  shown().values() = ValueIndexes(indexed, limit != 0);
}

bool CacheState::changed() const noexcept {
  return changes_.earlier_was_empty() ? visible().size() > 0 : !changes_.empty();
}

Changes CacheState::take_changes() noexcept {
  const bool now_empty = visible().size() == 0;
  const bool nothing = !changed();
  Changes taken = std::exchange(changes_, now_empty ? Changes::from_empty() : Changes());
  return nothing ? Changes() : taken;
}

// The window is the first `limit` of all by recency: an addition or deletion inside it moves one object over its end.
CacheState::WindowChanges CacheState::visible_changes(const Object* before, const Object* after) const noexcept {
  if (limit_ == 0) return {{before, after}, {}};
  const OrderedSet<ByRecency>& order = all_.by_recency();
  const std::size_t old_rank = before != nullptr ? order.rank(RecencyProbe::of(*before)) : limit_;
  std::size_t new_rank = after != nullptr ? order.rank(RecencyProbe::of(*after)) : limit_;
  if (before != nullptr && after != nullptr && old_rank < new_rank) --new_rank;
  const bool was_in = old_rank < limit_;
  const bool is_in = new_rank < limit_;

  WindowChanges window_changes{{was_in ? before : nullptr, is_in ? after : nullptr}, {}};
  if (was_in == is_in) return window_changes;
  const ByRecency::Entry* crossing = order.at(was_in ? limit_ : limit_ - 1);
  if (crossing != nullptr)
    (was_in ? window_changes.at_the_boundary.after : window_changes.at_the_boundary.before) = crossing->object;
  return window_changes;
}

void CacheState::reserve_for(std::size_t window_changes, NodePools& pools) const {
  reserve(pools, limit_ == 0 ? all_.budget(1) : all_.budget(1) + window_.budget(window_changes));
  const NodeBudget notes = changes_.budget(limit_ == 0 ? window_changes : window_changes + 1);
  pools.notes.reserve(notes.leaves, notes.inners);
}

std::optional<ValueIndexes> CacheState::prepare_values(const WindowChanges& window_changes, NodePools& pools) const {
  const ValueIndexes& values = visible().values();
  const auto& [first, second] = window_changes;
  if (values.empty()) return std::nullopt;
  if (!ValueIndexes::has_few_values(first.before, first.after) ||
      !ValueIndexes::has_few_values(second.before, second.after)) {
    return values.changed(first.before, first.after, pools.by_value)
        .changed(second.before, second.after, pools.by_value);
  }
  const NodeBudget budget = values.budget(first.before, first.after) + values.budget(second.before, second.after);
  pools.by_value.reserve(budget.leaves, budget.inners);
  values.prefetch(first.before);
  return std::nullopt;
}

void CacheState::show(const WindowChange& window_change, NodePools& pools) noexcept {
  if (window_change.before == window_change.after) return;
  ++edition_;
  changes_.note(window_change.before, window_change.after, pools.notes);
  if (limit_ != 0) window_.change(window_change.before, window_change.after, pools);
}

void CacheState::change(const Object* before, const Object* after, NodePools& pools) {
  const WindowChanges window_changes = visible_changes(before, after);
  reserve_for(limit_ == 0 ? 1 : 2, pools);
  std::optional<ValueIndexes> values = prepare_values(window_changes, pools);
  show(window_changes.of_the_object, pools);
  show(window_changes.at_the_boundary, pools);
  // What left the window changes and is deleted outside of it, too.
  if (limit_ != 0) changes_.note_last(after != nullptr ? *after : *before, pools.notes);
  all_.change(before, after, pools);
  // Behind the others, so that what prepare_values() asked for has come.
  if (values) {
    shown().values() = *std::move(values);
  } else {
    shown().values().change(window_changes.of_the_object.before, window_changes.of_the_object.after, pools.by_value);
    shown().values().change(window_changes.at_the_boundary.before, window_changes.at_the_boundary.after,
                            pools.by_value);
  }
  bytes_ += after != nullptr ? after->kept_size() : 0;
  bytes_ -= before != nullptr ? before->kept_size() : 0;
}

Index CacheState::window_of(const Index& all) const {
  if (limit_ == 0) return Index(false);
  const ValueIndexes& values = window_.values();
  std::vector<const Object*> shown;
  shown.reserve(std::min(limit_, all.size()));
  for (std::size_t i = 0; i < limit_ && i < all.size(); ++i) shown.push_back(all.at(i));
  std::vector<const Object*> by_name = shown;
  sort_by_uid(shown);
  sort_by_name(by_name);
  return Index(true, shown, by_name, values);
}

void CacheState::note_difference(const Index& old_visible, const Index& new_visible, Changes& changes,
                                 NodePools& pools) {
  if (changes.earlier_was_empty()) return;
  const auto note = [&](const Object* before, const Object* after) {
    const NodeBudget budget = changes.budget(1);
    pools.notes.reserve(budget.leaves, budget.inners);
    changes.note(before, after, pools.notes);
  };
  old_visible.by_uid().for_each([&](const ByUid::Entry& entry) {
    const Object* before = entry.object.get();
    note(before, new_visible.find_uid({entry.hash, before->uid()}));
  });
  new_visible.by_uid().for_each([&](const ByUid::Entry& entry) {
    const UidProbe probe{entry.hash, entry.object->uid()};
    if (old_visible.find_uid(probe) == nullptr) note(nullptr, entry.object.get());
  });
}

void CacheState::note_last_states(const Index& all, Changes& changes, NodePools& pools) {
  const OrderedSet<Notes> noted = changes.notes();
  noted.for_each([&](const Notes::Entry& entry) {
    if (entry.after) return;
    const Object* const state = all.find_uid(Notes::probe(Notes::key(entry)));
    if (state == nullptr) return;
    const NodeBudget budget = changes.budget(1);
    pools.notes.reserve(budget.leaves, budget.inners);
    changes.note_last(*state, pools.notes);
  });
}

void CacheState::rebuild(const std::vector<const Object*>& by_uid, const std::vector<const Object*>& by_name,
                         NodePools& pools) {
  CacheState next(limit_);
  next.all_ = Index(limit_ != 0, by_uid, by_name, all_.values());
  next.window_ = window_of(next.all_);
  next.edition_ = edition_ + 1;
  next.changes_ = changes_;
  for (const Object* object : by_uid) next.bytes_ += object->kept_size();
  note_difference(visible(), next.visible(), next.changes_, pools);
  if (limit_ != 0) note_last_states(next.all_, next.changes_, pools);
  *this = std::move(next);
}

}  // namespace ksr::store

#include "store/changes.hpp"

#include <utility>

namespace ksr::store {

Changes Changes::from_empty() noexcept {
  Changes changes;
  changes.from_empty_ = true;
  return changes;
}

NodeBudget Changes::budget(std::size_t calls) const noexcept {
  return from_empty_ ? NodeBudget{0, 0} : notes_.budget(calls);
}

void Changes::note(const Object* before, const Object* after, NodePool<Notes>& pool) noexcept {
  if (from_empty_ || before == after) return;
  const Object& subject = before != nullptr ? *before : *after;
  const Notes::Entry* noted = notes_.find(UidProbe::of(subject));
  if (noted != nullptr) {
    continue_note(notes_, *noted, ObjectRef(after), ObjectRef(before), pool);
  } else if (!same_state(before, after)) {
    notes_.insert({subject.uid_hash(), ObjectRef(before), ObjectRef(after), {}}, pool);
  }
}

void Changes::note_last(const Object& state, NodePool<Notes>& pool) noexcept {
  const Notes::Entry* const noted = from_empty_ ? nullptr : notes_.find(UidProbe::of(state));
  if (noted == nullptr || noted->after) return;
  const ObjectRef before = noted->before;
  if ((noted->last ? noted->last.get() : before.get()) == &state) return;
  notes_.replace({state.uid_hash(), before, {}, ObjectRef(&state)}, pool);
}

void Changes::continue_note(OrderedSet<Notes>& notes, const Notes::Entry& noted, ObjectRef after, ObjectRef last,
                            NodePool<Notes>& pool) noexcept {
  const Notes::Entry held = noted;
  if (same_state(held.before.get(), after.get())) return notes.erase(Notes::probe(Notes::key(held)), pool);
  if (after) last = {};
  notes.replace({held.hash, held.before, std::move(after), std::move(last)}, pool);
}

void Changes::append(Changes later) {
  if (from_empty_) return;
  if (notes_.empty()) {
    *this = std::move(later);
    return;
  }
  OrderedSet<Notes> merged = notes_;
  NodePool<Notes> pool;
  later.notes_.for_each([&](const Notes::Entry& entry) {
    const NodeBudget budget = merged.budget(1);
    pool.reserve(budget.leaves, budget.inners);
    const Notes::Entry* noted = merged.find(Notes::probe(Notes::key(entry)));
    if (noted == nullptr) return merged.insert(entry, pool);
    continue_note(merged, *noted, entry.after, entry.last ? entry.last : entry.before, pool);
  });
  notes_ = std::move(merged);
  from_empty_ = later.from_empty_;
  behind_ = true;
}

}  // namespace ksr::store

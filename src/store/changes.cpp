#include "store/changes.hpp"

#include <utility>

namespace ksr::store {

Changes Changes::from_empty() noexcept {
  Changes changes;
  changes.from_empty_ = true;
  return changes;
}

Need Changes::need(std::size_t calls) const noexcept {
  return from_empty_ ? Need{0, 0} : notes_.need(calls);
}

void Changes::note(const Object* before, const Object* after, Stock<Notes>& stock) noexcept {
  if (from_empty_ || before == after) return;
  const Object& subject = before != nullptr ? *before : *after;
  const Notes::Entry* noted = notes_.find(UidProbe::of(subject));
  if (noted != nullptr) {
    continue_note(notes_, *noted, ObjectRef(after), stock);
  } else if (!same_state(before, after)) {
    notes_.insert({subject.uid_hash(), ObjectRef(before), ObjectRef(after)}, stock);
  }
}

void Changes::continue_note(OrderedSet<Notes>& notes, const Notes::Entry& noted, ObjectRef after,
                            Stock<Notes>& stock) noexcept {
  const Notes::Entry held = noted;
  if (same_state(held.before.get(), after.get())) return notes.erase(Notes::probe(Notes::key(held)), stock);
  notes.replace({held.hash, held.before, std::move(after)}, stock);
}

void Changes::append(Changes later) {
  if (from_empty_) return;
  if (notes_.empty()) {
    *this = std::move(later);
    return;
  }
  OrderedSet<Notes> merged = notes_;
  Stock<Notes> stock;
  later.notes_.for_each([&](const Notes::Entry& entry) {
    const Need need = merged.need(1);
    stock.reserve(need.leaves, need.inners);
    const Notes::Entry* noted = merged.find(Notes::probe(Notes::key(entry)));
    noted != nullptr ? continue_note(merged, *noted, entry.after, stock) : merged.insert(entry, stock);
  });
  notes_ = std::move(merged);
  from_empty_ = later.from_empty_;
}

}  // namespace ksr::store

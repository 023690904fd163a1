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
  if (from_empty_ || same_state(before, after)) return;
  const Object& subject = before != nullptr ? *before : *after;
  const Notes::Entry* noted = notes_.find(UidProbe::of(subject));
  if (noted == nullptr) return notes_.insert({subject.uid_hash(), ObjectRef(&subject), before != nullptr}, stock);
  if (same_state(noted->earlier(), after)) return notes_.erase(UidProbe::of(subject), stock);
  // An addition is named by what it became last, so that no state in between is held.
  if (!noted->was_there) notes_.replace({after->uid_hash(), ObjectRef(after), false}, stock);
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
    if (merged.find(Notes::probe(Notes::key(entry))) != nullptr) return;
    const Need need = merged.need(1);
    stock.reserve(need.leaves, need.inners);
    merged.insert(entry, stock);
  });
  notes_ = std::move(merged);
  from_empty_ = later.from_empty_;
}

}  // namespace ksr::store

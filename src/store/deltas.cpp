#include <algorithm>

#include "store/changes.hpp"

namespace ksr::store {

Deltas::Deltas(const Changes& changes, const View& now)
    : changes_(changes), now_(now), whole_view_(changes.earlier_was_empty() && changes.notes().empty()) {
  if (whole_view_) return;
  rows_.reserve(changes_.notes().size());
  compare_noted();
  if (changes_.earlier_was_empty()) add_unnoted();
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) noexcept {
    const bool a_gone = a.kind == DeltaKind::deleted;
    const bool b_gone = b.kind == DeltaKind::deleted;
    if (a_gone != b_gone) return a_gone;
    const int by_name = compare_names(*a.object, b.object->name_space(), b.object->name());
    return by_name != 0 ? by_name < 0 : a.object->uid() < b.object->uid();
  });
}

void Deltas::compare_noted() {
  changes_.notes().for_each([this](const Notes::Entry& entry) {
    const Object* const before = entry.earlier();
    const Object* const after = now_.state_ ? now_.state_->visible.find_uid(Notes::probe(Notes::key(entry))) : nullptr;
    if (same_state(before, after)) return;
    if (after == nullptr) {
      rows_.push_back({DeltaKind::deleted, before});
    } else {
      rows_.push_back({before == nullptr ? DeltaKind::added : DeltaKind::modified, after});
    }
  });
}

void Deltas::add_unnoted() {
  for (std::size_t i = 0; i < now_.count(); ++i) {
    const Object* const object = now_.at(i);
    if (changes_.notes().find(UidProbe::of(*object)) == nullptr) rows_.push_back({DeltaKind::added, object});
  }
}

std::size_t Deltas::count() const noexcept {
  return whole_view_ ? now_.count() : rows_.size();
}

DeltaKind Deltas::kind_at(std::size_t i) const noexcept {
  return whole_view_ ? DeltaKind::added : rows_[i].kind;
}

const Object* Deltas::object_at(std::size_t i) const noexcept {
  return whole_view_ ? now_.state_->visible.by_name().at(i)->object : rows_[i].object;
}

Delta Deltas::at(std::size_t i) const {
  return {kind_at(i), ObjectRef(object_at(i))};
}

}  // namespace ksr::store

#include <algorithm>
#include <utility>

#include "store/cache.hpp"
#include "store/changes.hpp"

namespace ksr::store {
namespace {

bool comes_before(const Delta& a, const Delta& b) noexcept {
  const bool a_gone = a.kind == DeltaKind::deleted;
  const bool b_gone = b.kind == DeltaKind::deleted;
  if (a_gone != b_gone) return a_gone;
  const int by_name = compare_names(*a.object, b.object->name_space(), b.object->name());
  return by_name != 0 ? by_name < 0 : a.object->uid() < b.object->uid();
}

}  // namespace

Deltas::Deltas(const Changes& changes, const View& now) {
  if (changes.earlier_was_empty() && changes.notes().empty()) {
    whole_view_ = now;
    return;
  }
  Rows rows;
  rows.reserve(changes.notes().size());
  compare_noted(changes, now, rows);
  if (changes.earlier_was_empty()) add_unnoted(changes, now, rows);
  std::sort(rows.begin(), rows.end(), comes_before);
  rows_ = std::make_shared<Rows>(std::move(rows));
}

void Deltas::mark_left(const Cache& cache) noexcept {
  if (!rows_) return;
  for (Delta& row : *rows_) row.left = row.kind == DeltaKind::deleted && cache.holds(UidProbe::of(*row.object));
}

Deltas Deltas::rebased_on(const View& same) const {
  Deltas deltas = *this;
  if (!rows_) deltas.whole_view_ = same;
  return deltas;
}

void Deltas::compare_noted(const Changes& changes, const View& now, Rows& rows) {
  changes.notes().for_each([&](const Notes::Entry& entry) {
    const Object* const before = entry.before.get();
    const Object* const after = later_of(entry, changes, now);
    if (same_state(before, after)) return;
    if (after == nullptr) {
      rows.push_back({DeltaKind::deleted, entry.before, entry.before});
    } else {
      rows.push_back({before == nullptr ? DeltaKind::added : DeltaKind::modified, ObjectRef(after), entry.before});
    }
  });
}

// What happened after the view was empty is not noted.
const Object* Deltas::later_of(const Notes::Entry& entry, const Changes& changes, const View& now) noexcept {
  if (!changes.earlier_was_empty()) return entry.after.get();
  return now.state_ ? now.state_->visible.find_uid(Notes::probe(Notes::key(entry))) : nullptr;
}

void Deltas::add_unnoted(const Changes& changes, const View& now, Rows& rows) {
  for (std::size_t i = 0; i < now.count(); ++i) {
    const Object* const object = now.at(i);
    if (changes.notes().find(UidProbe::of(*object)) == nullptr)
      rows.push_back({DeltaKind::added, ObjectRef(object), {}});
  }
}

std::size_t Deltas::count() const noexcept {
  return rows_ ? rows_->size() : whole_view_.count();
}

DeltaKind Deltas::kind_at(std::size_t i) const noexcept {
  return rows_ ? (*rows_)[i].kind : DeltaKind::added;
}

const Object* Deltas::object_at(std::size_t i) const noexcept {
  return rows_ ? (*rows_)[i].object.get() : whole_view_.state_->visible.by_name().at(i)->object;
}

Delta Deltas::at(std::size_t i) const {
  return {kind_at(i), ObjectRef(object_at(i)), ObjectRef(before_at(i)), left_at(i)};
}

}  // namespace ksr::store

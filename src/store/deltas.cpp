#include <algorithm>
#include <utility>

#include "store/cache.hpp"
#include "store/changes.hpp"

namespace ksr::store {
namespace {

// Where a row stands, at hand: reading the names of the objects again would cost a cache line each time.
struct Place {
  std::string_view name;
  std::size_t row;
  bool deleted;
};

}  // namespace

Deltas::Deltas(const Changes& changes, const View& now) {
  if (changes.earlier_was_empty() && changes.notes().empty()) {
    view_ = now;
    return;
  }
  auto rows = std::make_shared<Rows>();
  rows->changes = changes;
  rows->sorted.reserve(changes.notes().size());
  if (changes.earlier_was_empty()) {
    compare_noted(now, *rows);
    add_unnoted(now, *rows);
  } else {
    changes.notes().for_each_object([&rows](const Notes::Entry& entry) { add_noted(entry, entry.after.get(), *rows); });
  }
  sort(rows->sorted);
  rows_ = std::move(rows);
  behind_ = changes.are_behind();
  if (behind_) view_ = now;
}

// Deletions first, then the rest, each by (namespace, name).
void Deltas::sort(std::vector<Row>& rows) {
  std::vector<Place> places;
  places.reserve(rows.size());
  for (const Row& row : rows) {
    places.push_back({row.object->name_key(), places.size(), row.kind == DeltaKind::deleted});
  }
  std::sort(places.begin(), places.end(), [&rows](const Place& a, const Place& b) noexcept {
    if (a.deleted != b.deleted) return a.deleted;
    const int by_name = a.name.compare(b.name);
    return by_name != 0 ? by_name < 0 : rows[a.row].object->uid() < rows[b.row].object->uid();
  });
  std::vector<Row> sorted;
  sorted.reserve(rows.size());
  for (const Place& place : places) sorted.push_back(rows[place.row]);
  rows.swap(sorted);
}

void Deltas::mark_left(const Cache& cache) {
  if (!rows_) return;
  const auto is_deleted = [](const Row& row) { return row.kind == DeltaKind::deleted; };
  const auto deleted = std::count_if(rows_->sorted.begin(), rows_->sorted.end(), is_deleted);
  rows_->unnoted.reserve(rows_->unnoted.size() + static_cast<std::size_t>(deleted));
  for (Row& row : rows_->sorted) {
    const Object* const held = is_deleted(row) ? cache.find_uid(UidProbe::of(*row.object)) : nullptr;
    row.left = held != nullptr;
    if (held == nullptr || held == row.object) continue;
    rows_->unnoted.emplace_back(held);
    row.object = held;
  }
}

Deltas Deltas::rebased_on(const View& same) const noexcept {
  Deltas deltas = *this;
  if (!rows_ || behind_) deltas.view_ = same;
  return deltas;
}

Deltas Deltas::renewed_on(const View& newer) const noexcept {
  Deltas deltas = *this;
  deltas.behind_ = true;
  deltas.view_ = newer;
  return deltas;
}

void Deltas::add_noted(const Notes::Entry& entry, const Object* after, Rows& rows) {
  const Object* const before = entry.before.get();
  if (after == nullptr) {
    rows.sorted.push_back({DeltaKind::deleted, false, entry.last ? entry.last.get() : before, before});
  } else {
    rows.sorted.push_back({before == nullptr ? DeltaKind::added : DeltaKind::modified, false, after, before});
  }
}

// What happened after the view was empty is not noted.
void Deltas::compare_noted(const View& now, Rows& rows) {
  rows.changes.notes().for_each([&](const Notes::Entry& entry) {
    const Object* const after = now.state_ ? now.state_->visible.find_uid(Notes::probe(Notes::key(entry))) : nullptr;
    if (same_state(entry.before.get(), after)) return;
    if (after != nullptr) rows.unnoted.emplace_back(after);
    add_noted(entry, after, rows);
  });
}

void Deltas::add_unnoted(const View& now, Rows& rows) {
  for (std::size_t i = 0; i < now.count(); ++i) {
    const Object* const object = now.at(i);
    if (rows.changes.notes().find(UidProbe::of(*object)) != nullptr) continue;
    rows.unnoted.emplace_back(object);
    rows.sorted.push_back({DeltaKind::added, false, object, nullptr});
  }
}

std::size_t Deltas::count() const noexcept {
  return rows_ ? rows_->sorted.size() : view_.count();
}

DeltaKind Deltas::kind_at(std::size_t i) const noexcept {
  return rows_ ? rows_->sorted[i].kind : DeltaKind::added;
}

const Object* Deltas::object_at(std::size_t i) const noexcept {
  if (!rows_) return view_.state_->visible.by_name().at(i)->object;
  const Row& row = rows_->sorted[i];
  if (!behind_ || row.kind == DeltaKind::deleted || row.object->sameness() == json::Sameness::version)
    return row.object;
  const Object* const shown = view_.find_uid(UidProbe::of(*row.object));
  return shown != nullptr ? shown : row.object;
}

Delta Deltas::at(std::size_t i) const {
  return {kind_at(i), ObjectRef(object_at(i)), ObjectRef(before_at(i)), left_at(i)};
}

}  // namespace ksr::store

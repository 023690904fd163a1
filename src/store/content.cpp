#include "store/content.hpp"

#include <algorithm>
#include <utility>

#include "store/sorting.hpp"

namespace ksr::store {

Content::Content(std::size_t limit) noexcept : limit_(limit), all_(limit != 0), window_(limit != 0) {}

bool Content::changed() const noexcept {
  return changes_.earlier_was_empty() ? visible().size() > 0 : !changes_.empty();
}

Changes Content::take_changes() noexcept {
  const bool now_empty = visible().size() == 0;
  const bool nothing = !changed();
  Changes taken = std::exchange(changes_, now_empty ? Changes::from_empty() : Changes());
  return nothing ? Changes() : taken;
}

// The window is the first `limit` of all by recency: what goes or comes inside it moves one object over its end.
Content::Shifts Content::visible_shifts(const Object* before, const Object* after) const noexcept {
  if (limit_ == 0) return {{before, after}, {}};
  const OrderedSet<ByRecency>& order = all_.by_recency();
  const std::size_t old_rank = before != nullptr ? order.rank(RecencyProbe::of(*before)) : limit_;
  std::size_t new_rank = after != nullptr ? order.rank(RecencyProbe::of(*after)) : limit_;
  if (before != nullptr && after != nullptr && old_rank < new_rank) --new_rank;
  const bool was_in = old_rank < limit_;
  const bool is_in = new_rank < limit_;

  Shifts shifts{{was_in ? before : nullptr, is_in ? after : nullptr}, {}};
  if (was_in == is_in) return shifts;
  const ByRecency::Entry* crossing = order.at(was_in ? limit_ : limit_ - 1);
  if (crossing != nullptr) (was_in ? shifts.at_the_boundary.after : shifts.at_the_boundary.before) = crossing->object;
  return shifts;
}

void Content::reserve_for(std::size_t shifts, Stocks& stocks) const {
  reserve(stocks, limit_ == 0 ? all_.need(1) : all_.need(1) + window_.need(shifts));
  const Need notes = changes_.need(shifts);
  stocks.notes.reserve(notes.leaves, notes.inners);
}

void Content::show(const Shift& shift, Stocks& stocks) noexcept {
  if (shift.before == shift.after) return;
  changes_.note(shift.before, shift.after, stocks.notes);
  if (limit_ != 0) window_.change(shift.before, shift.after, stocks);
}

void Content::change(const Object* before, const Object* after, Stocks& stocks) {
  const Shifts shifts = visible_shifts(before, after);
  reserve_for(limit_ == 0 ? 1 : 2, stocks);
  show(shifts.of_the_object, stocks);
  show(shifts.at_the_boundary, stocks);
  all_.change(before, after, stocks);
  bytes_ += after != nullptr ? after->json_size() : 0;
  bytes_ -= before != nullptr ? before->json_size() : 0;
}

Index Content::window_of(const Index& all) const {
  if (limit_ == 0) return Index(false);
  std::vector<const Object*> shown;
  shown.reserve(std::min(limit_, all.size()));
  for (std::size_t i = 0; i < limit_ && i < all.size(); ++i) shown.push_back(all.at(i));
  std::vector<const Object*> by_name = shown;
  sort_by_uid(shown);
  sort_by_name(by_name);
  return Index(true, shown, by_name);
}

void Content::note_difference(const Index& old_visible, const Index& new_visible, Changes& changes, Stocks& stocks) {
  if (changes.earlier_was_empty()) return;
  const auto note = [&](const Object* before, const Object* after) {
    const Need need = changes.need(1);
    stocks.notes.reserve(need.leaves, need.inners);
    changes.note(before, after, stocks.notes);
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

void Content::rebuild(const std::vector<const Object*>& by_uid, const std::vector<const Object*>& by_name,
                      Stocks& stocks) {
  Content next(limit_);
  next.all_ = Index(limit_ != 0, by_uid, by_name);
  next.window_ = window_of(next.all_);
  next.changes_ = changes_;
  for (const Object* object : by_uid) next.bytes_ += object->json_size();
  note_difference(visible(), next.visible(), next.changes_, stocks);
  *this = std::move(next);
}

}  // namespace ksr::store

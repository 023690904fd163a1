#include "delivery/shared_view.hpp"

#include <new>

namespace ksr::delivery {

void SharedView::add(Reader& reader) noexcept {
  const MutexLock share_lock(share_mutex_);
  readers_.splice(readers_.end(), reader.place_);
  // What has changed since the last cut is part of the view, which is all new to it.
  reader.cut_ = cuts_;
  const MutexLock view_lock(view_mutex_);
  reader.news_ = cache_.synced();
}

void SharedView::freeze(Reader& reader) noexcept {
  SnapshotRef dropped;  // after the locks
  const MutexLock share_lock(share_mutex_);
  if (reader.left_) return;
  try {
    hold_last(reader);
  } catch (const std::bad_alloc&) {
    reader.news_ = false;
    reader.changes_ = store::Changes();
  }
  dropped = leave(reader);
}

void SharedView::remove(Reader& reader) noexcept {
  // After the locks.
  SnapshotRef dropped;
  store::Changes changes;
  std::optional<store::View> last_view;
  const MutexLock share_lock(share_mutex_);
  reader.news_ = false;
  changes = std::exchange(reader.changes_, store::Changes());
  last_view = std::exchange(reader.last_view_, std::nullopt);
  dropped = leave(reader);
}

SnapshotRef SharedView::leave(Reader& reader) noexcept {
  if (std::exchange(reader.left_, true)) return {};
  reader.place_.splice(reader.place_.end(), readers_, reader.node_);
  const MutexLock view_lock(view_mutex_);
  return drop_kept(reader);
}

void SharedView::hold_last(Reader& reader) {
  for (;;) {
    if (std::optional<Taken> taken = take_newest(reader)) {
      reader.last_view_ = std::move(taken->cut.view);
      reader.last_edition_ = taken->edition;
      reader.changes_ = std::move(taken->cut.changes);
      reader.news_ = true;
      return;
    }
    const MutexLock view_lock(view_mutex_);
    // What has changed since then would be in the view and not among its changes.
    if (news_of(reader)) continue;
    reader.news_ = false;
    if (cache_.synced()) reader.last_view_ = cache_.view();
    reader.last_edition_ = cache_.edition();
    return;
  }
}

std::optional<SharedView::Taken> SharedView::take(Reader& reader) {
  const MutexLock share_lock(share_mutex_);
  if (!reader.left_) return take_newest(reader);
  if (!std::exchange(reader.news_, false)) return std::nullopt;
  return Taken{{*reader.last_view_, std::exchange(reader.changes_, store::Changes())}, reader.last_edition_};
}

std::optional<SharedView::Taken> SharedView::take_newest(Reader& reader) {
  if (pending_) share();
  Taken taken{};
  {
    const MutexLock view_lock(view_mutex_);
    if (!news_of(reader)) return std::nullopt;
    if (cache_.changed()) {
      store::Cut cut = cache_.cut();
      pending_ = Pending{std::move(cut.changes), ++cuts_};
      taken.cut.view = std::move(cut.view);
      cut_edition_ = cache_.edition();
    } else {
      taken.cut.view = cache_.view();
    }
    taken.edition = cache_.edition();
  }
  if (pending_) share();
  taken.cut.changes = std::exchange(reader.changes_, store::Changes());
  if (taken.edition != cut_edition_) taken.cut.changes.set_behind();
  reader.news_ = false;
  return taken;
}

bool SharedView::has_news(const Reader& reader) {
  const MutexLock share_lock(share_mutex_);
  if (reader.left_) return reader.news_;
  const MutexLock view_lock(view_mutex_);
  return news_of(reader);
}

bool SharedView::news_of(const Reader& reader) const {
  return cache_.synced() && (reader.news_ || pending_ || cache_.changed());
}

// Goes on where a lack of memory ended it.
void SharedView::share() {
  for (Reader* const reader : readers_) {
    if (reader->cut_ == pending_->cut) continue;
    reader->changes_.append(pending_->changes);
    reader->cut_ = pending_->cut;
    reader->news_ = true;
  }
  pending_.reset();
}

SnapshotRef SharedView::keep(Reader& reader, SnapshotRef made, std::uint64_t edition) {
  const MutexLock share_lock(share_mutex_);
  const MutexLock view_lock(view_mutex_);
  SnapshotRef before = drop_kept(reader);
  // What was taken before the reader left may be delivered after that.
  if (made && !reader.left_ && edition == cache_.edition()) put_kept(reader, std::move(made));
  return before;
}

SnapshotRef SharedView::drop_kept(Reader& reader) noexcept {
  if (!reader.kept_) return {};
  reader.kept_place_.splice(reader.kept_place_.end(), keepers_, reader.kept_node_);
  return std::exchange(reader.kept_, SnapshotRef());
}

// Which keeps none.
void SharedView::put_kept(Reader& reader, SnapshotRef made) noexcept {
  keepers_.splice(keepers_.end(), reader.kept_place_);
  reader.kept_ = std::move(made);
  reader.kept_edition_ = cache_.edition();
}

void SharedView::mark_left(store::Deltas& deltas) {
  if (!limited_) return;
  const MutexLock lock(view_mutex_);
  deltas.mark_left(cache_);
}

}  // namespace ksr::delivery

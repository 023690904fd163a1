#include "delivery/publisher.hpp"

namespace ksr::delivery {

SnapshotRef Publisher::latest() {
  SnapshotRef superseded;  // dropped after the lock: its last reference may free many objects
  const MutexLock lock(cut_mutex_);
  for (;;) {
    if (gather()) superseded = std::exchange(pending_, snapshot());
    if (pending_) return pending_;
    if (std::optional<SnapshotRef> last = delivered()) return *std::move(last);
  }
}

SnapshotRef Publisher::next() {
  Delivered before;  // dropped after the lock, as all of these
  store::Changes changes;
  SnapshotRef outdated;
  const MutexLock lock(cut_mutex_);
  // A snapshot that ksr_latest has shown is delivered as it is, so that sequences reach the host without gaps.
  if (!pending_ && gather()) pending_ = snapshot();
  if (!pending_) return {};
  std::string resource_version(pending_->view().resource_version());
  SnapshotRef made = std::exchange(pending_, SnapshotRef());
  // Without the view, which would keep each object that has changed since.
  store::Deltas deltas = made->deltas().rebased_on(store::View());
  before = std::exchange(delivered_, {std::move(deltas), std::move(resource_version), made->sequence()});
  changes = std::exchange(since_delivered_, store::Changes());
  outdated = keep_while_current(made);
  return made;
}

bool Publisher::changed() {
  const MutexLock lock(view_mutex_);
  return cache_.synced() && cache_.changed();
}

bool Publisher::gather() {
  if (cut_) fold_cut();
  cut_ = cut();
  if (cut_) fold_cut();
  return unseen_.has_value();
}

void Publisher::fold_cut() {
  since_delivered_.append(cut_->changes);
  unseen_ = std::move(cut_->view);
  cut_.reset();
}

std::optional<store::Cut> Publisher::cut() {
  const MutexLock lock(view_mutex_);
  if (!cache_.synced() || !cache_.changed()) return std::nullopt;
  return cache_.cut();
}

SnapshotRef Publisher::snapshot() {
  store::Deltas deltas = deltas_to(*unseen_);
  SnapshotRef made;
  if (delivered_.sequence > 0 && deltas.count() == 0) {
    since_delivered_ = store::Changes();
  } else {
    made = SnapshotRef(new Snapshot(*unseen_, std::move(deltas), sequence_ + 1));
    ++sequence_;
  }
  unseen_.reset();
  return made;
}

// With a limit the view does not say whether an object that it does not show any more was deleted.
store::Deltas Publisher::deltas_to(const store::View& now) {
  store::Deltas deltas(since_delivered_, now);
  if (!limited_) return deltas;
  const MutexLock lock(view_mutex_);
  deltas.mark_left(cache_);
  return deltas;
}

std::optional<SnapshotRef> Publisher::delivered() {
  SnapshotRef outdated;  // dropped after the lock
  const MutexLock lock(view_mutex_);
  if (delivered_.sequence == 0) return SnapshotRef();
  if (cache_.changed()) return std::nullopt;
  // What is no change for the host moves the view on all the same.
  if (!current_ || cache_.view_is_outdated()) {
    outdated = std::exchange(current_, SnapshotRef());
    const store::View view = cache_.view(delivered_.resource_version);
    current_ = SnapshotRef(new Snapshot(view, delivered_.deltas->rebased_on(view), delivered_.sequence));
  }
  return current_;
}

SnapshotRef Publisher::keep_while_current(SnapshotRef made) {
  const MutexLock lock(view_mutex_);
  return std::exchange(current_, cache_.changed() ? SnapshotRef() : std::move(made));
}

}  // namespace ksr::delivery

#include "delivery/publisher.hpp"

#include <utility>

namespace ksr::delivery {

SnapshotRef Publisher::latest() {
  SnapshotRef superseded;  // dropped after the lock: its last reference may free many objects
  const std::lock_guard<std::mutex> lock(view_mutex_);
  if (!cache_.synced()) return {};
  if (cache_.changed()) {
    if (SnapshotRef cut = cut_pending()) {
      superseded = std::exchange(pending_, std::move(cut));
    } else {
      superseded = std::exchange(pending_, SnapshotRef());  // changed back to what was delivered
    }
  }
  return pending_ ? pending_ : delivered_;
}

SnapshotRef Publisher::next() {
  SnapshotRef before;
  const std::lock_guard<std::mutex> lock(view_mutex_);
  if (!cache_.synced()) return {};
  if (!pending_ && cache_.changed()) pending_ = cut_pending();
  if (!pending_) return {};
  // A snapshot that ksr_latest has shown is delivered as it is, so that sequences reach the host without gaps.
  since_delivered_ = store::Changes();
  before = std::exchange(delivered_, std::exchange(pending_, SnapshotRef()));
  return delivered_;
}

SnapshotRef Publisher::cut_pending() {
  store::Cut cut = cache_.cut();
  since_delivered_.append(std::move(cut.changes));
  store::Deltas deltas(since_delivered_, cut.view);
  if (delivered_ && deltas.count() == 0) {
    since_delivered_ = store::Changes();
    return {};
  }
  return SnapshotRef(new Snapshot(std::move(cut.view), std::move(deltas), ++sequence_));
}

}  // namespace ksr::delivery

// `Publisher` guards the cache of one stream and cuts snapshots from it; used by stream::Session, which writes, by
// CallbackDispatcher and by ksr_latest, which cut.
// Any thread: `view_mutex_` guards the cache, `cut_mutex_` what was cut from it, so that the network thread never waits
// while deltas are computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "delivery/snapshot.hpp"
#include "store/cache.hpp"

namespace ksr::delivery {

class Publisher {
 public:
  // As store::Cache.
  explicit Publisher(std::size_t limit, std::size_t scopes = 1, const std::vector<std::size_t>& indexed = {})
      : limited_(limit != 0), cache_(limit, scopes, indexed) {}

  // Runs `work(cache)` under the mutex; `work` must not call the host or wait.
  template <class Work>
  auto write(Work&& work) KSR_EXCLUDES(view_mutex_) {
    SnapshotRef outdated;  // dropped after the lock
    const MutexLock lock(view_mutex_);
    // It is outdated for good, and while it is held each change of the cache copies the nodes that both share.
    if (current_ && cache_.view_is_outdated()) outdated = std::exchange(current_, SnapshotRef());
    return work(cache_);
  }

  // The newest complete snapshot, delivered or not; empty before the first list is complete.
  SnapshotRef latest() KSR_EXCLUDES(cut_mutex_, view_mutex_);
  // The snapshot to deliver now, which from here on counts as delivered; empty when nothing has changed.
  SnapshotRef next() KSR_EXCLUDES(cut_mutex_, view_mutex_);
  // Whether there is more to deliver than next() has returned: it leaves what came after a snapshot shown by latest().
  bool changed() KSR_EXCLUDES(view_mutex_);

 private:
  // Takes over what has changed in the cache. True when it is not what the last snapshot shows. Throws std::bad_alloc;
  // nothing is lost then, the next call goes on.
  bool gather() KSR_REQUIRES(cut_mutex_);
  void fold_cut() KSR_REQUIRES(cut_mutex_);
  std::optional<store::Cut> cut() KSR_EXCLUDES(view_mutex_);
  // The last delivered snapshot, made anew if it had to be; empty: there is something newer.
  std::optional<SnapshotRef> delivered() KSR_REQUIRES(cut_mutex_) KSR_EXCLUDES(view_mutex_);
  // Returns what was kept before.
  SnapshotRef keep_while_current(SnapshotRef made) KSR_EXCLUDES(view_mutex_);
  // What was gathered, against the last delivered snapshot; empty when they are the same. Throws as gather().
  SnapshotRef snapshot() KSR_REQUIRES(cut_mutex_) KSR_EXCLUDES(view_mutex_);
  store::Deltas deltas_to(const store::View& now) KSR_REQUIRES(cut_mutex_) KSR_EXCLUDES(view_mutex_);

  // What the last delivered snapshot can be made of again.
  struct Delivered {
    std::optional<store::Deltas> deltas;
    std::string resource_version;
    std::uint64_t sequence = 0;
  };

  const bool limited_;
  Mutex cut_mutex_ KSR_ACQUIRED_BEFORE(view_mutex_);
  Mutex view_mutex_;
  store::Cache cache_ KSR_GUARDED_BY(view_mutex_);
  // The last delivered snapshot, as long as the cache is what it shows.
  SnapshotRef current_ KSR_GUARDED_BY(view_mutex_);

  // Cut, but not part of the next two yet.
  std::optional<store::Cut> cut_ KSR_GUARDED_BY(cut_mutex_);
  // What changed from the last delivered snapshot to the last cut.
  store::Changes since_delivered_ KSR_GUARDED_BY(cut_mutex_);
  // The last cut, while no snapshot shows it.
  std::optional<store::View> unseen_ KSR_GUARDED_BY(cut_mutex_);
  Delivered delivered_ KSR_GUARDED_BY(cut_mutex_);
  // Cut for ksr_latest and not delivered yet.
  SnapshotRef pending_ KSR_GUARDED_BY(cut_mutex_);
  std::uint64_t sequence_ KSR_GUARDED_BY(cut_mutex_) = 0;
};

}  // namespace ksr::delivery

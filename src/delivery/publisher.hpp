// Guards the cache of one stream and cuts snapshots from it.
//
// Any thread: `view_mutex_` guards the cache, `cut_mutex_` what was cut from it, so that the network thread never waits
// while deltas are computed. Both at once are taken in the order cut, view. The network thread writes, delivery and
// ksr_latest cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "delivery/snapshot.hpp"
#include "store/cache.hpp"

namespace ksr::delivery {

class Publisher {
 public:
  // As store::Cache.
  explicit Publisher(std::size_t limit, std::size_t scopes = 1) : cache_(limit, scopes) {}

  // Runs `work(cache)` under the mutex; `work` must not call the host or wait.
  template <class Work>
  auto write(Work&& work) {
    SnapshotRef outdated;  // dropped after the lock
    const std::lock_guard<std::mutex> lock(view_mutex_);
    // Nobody will ask for it again, and while it is held each change of the cache costs copies of what both share.
    if (current_ && cache_.changed()) outdated = std::exchange(current_, SnapshotRef());
    return work(cache_);
  }

  // The newest complete snapshot, delivered or not; empty before the first list is complete.
  SnapshotRef latest();
  // The snapshot to deliver now, which from here on counts as delivered; empty when nothing has changed.
  SnapshotRef next();
  // Whether there is more to deliver than next() has returned: it leaves what came after a snapshot shown by latest().
  bool changed();

 private:
  // Takes over what has changed in the cache. True when it is not what the last snapshot shows. Throws std::bad_alloc;
  // nothing is lost then, the next call goes on.
  bool gather();
  void fold_cut();
  std::optional<store::Cut> cut();
  // The last delivered snapshot, made anew if it had to be; empty: there is something newer.
  std::optional<SnapshotRef> delivered();
  SnapshotRef keep_while_current(SnapshotRef made);
  // What was gathered, against the last delivered snapshot; empty when they are the same. Throws as gather().
  SnapshotRef snapshot();

  // What the last delivered snapshot can be made of again.
  struct Delivered {
    std::optional<store::Deltas> deltas;
    std::string resource_version;
    std::uint64_t sequence = 0;
  };

  std::mutex view_mutex_;
  store::Cache cache_;
  // The last delivered snapshot, as long as the cache is what it shows.
  SnapshotRef current_;

  std::mutex cut_mutex_;
  // Cut, but not part of the next two yet.
  std::optional<store::Cut> cut_;
  // What changed from the last delivered snapshot to the last cut.
  store::Changes since_delivered_;
  // The last cut, while no snapshot shows it.
  std::optional<store::View> unseen_;
  Delivered delivered_;
  // Cut for ksr_latest and not delivered yet.
  SnapshotRef pending_;
  std::uint64_t sequence_ = 0;
};

}  // namespace ksr::delivery

// Guards the cache of one stream and cuts snapshots from it.
//
// Any thread: `view_mutex_` guards everything. The network thread writes, delivery and ksr_latest cut.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>

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
    const std::lock_guard<std::mutex> lock(view_mutex_);
    return work(cache_);
  }

  // The newest complete snapshot, delivered or not; empty before the first list is complete.
  SnapshotRef latest();
  // The snapshot to deliver now, which from here on counts as delivered; empty when nothing has changed.
  SnapshotRef next();

 private:
  // Cuts the current state against the last delivered snapshot; empty when they are the same.
  SnapshotRef cut_pending();

  std::mutex view_mutex_;
  store::Cache cache_;
  // What changed from the last delivered snapshot to the last cut.
  store::Changes since_delivered_;
  SnapshotRef delivered_;
  // Cut for ksr_latest and not delivered yet.
  SnapshotRef pending_;
  std::uint64_t sequence_ = 0;
};

}  // namespace ksr::delivery

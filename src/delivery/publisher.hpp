// `Publisher` makes the snapshots of one stream from the view that it shows, alone or with others; used by
// CallbackDispatcher and by ksr_latest.
// Any thread: `cut_mutex_` guards what it has taken from the view, so that nothing else waits while deltas are
// computed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/mutex.hpp"
#include "delivery/shared_view.hpp"
#include "delivery/snapshot.hpp"

namespace ksr::delivery {

class Publisher {
 public:
  // Its first snapshot has all that the view holds by then, as ADDED.
  explicit Publisher(std::shared_ptr<SharedView> view);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  SharedView& view() const noexcept { return *view_; }
  // What changes in the view from now on costs nothing for this publisher. freeze(): latest() shows the view as it is
  // now, for which there may be no memory; leave(): no more than was taken from it.
  void freeze() noexcept { view_->freeze(reader_); }
  void leave() noexcept { view_->remove(reader_); }

  // The newest complete snapshot, delivered or not; empty before the first list is complete.
  SnapshotRef latest() KSR_EXCLUDES(cut_mutex_);
  // The snapshot to deliver now, which from here on counts as delivered; empty when nothing has changed.
  SnapshotRef next() KSR_EXCLUDES(cut_mutex_);
  // Whether there is more to deliver than next() has returned: it leaves what came after a snapshot shown by latest(),
  // which latest() may have taken from the view since.
  bool changed() KSR_EXCLUDES(cut_mutex_);

 private:
  // Takes over what has changed in the view. True when it is not what the last snapshot shows. Throws std::bad_alloc;
  // nothing is lost then, the next call goes on.
  bool gather() KSR_REQUIRES(cut_mutex_);
  void fold_taken() KSR_REQUIRES(cut_mutex_);
  // The snapshot that latest() returns while there is nothing to deliver, made anew if it had to be; empty: there is
  // something newer.
  std::optional<SnapshotRef> settled() KSR_REQUIRES(cut_mutex_);
  // What is no change for the host moves on in the snapshot that latest() returns, delivered or not. False: there is
  // something newer.
  bool renew_pending(SnapshotRef& before) KSR_REQUIRES(cut_mutex_);
  // A snapshot, and the edition of the cache that it shows.
  struct Made {
    SnapshotRef snapshot;
    std::uint64_t edition = 0;
  };
  // What was gathered, against the last delivered snapshot; empty when they are the same. Throws as gather().
  Made make() KSR_REQUIRES(cut_mutex_);

  // What the last delivered snapshot can be made of again; or one after it that is as that is, where latest() has shown
  // something else in between: neither its number nor its version goes back.
  struct Settled {
    std::optional<store::Deltas> deltas;
    std::string resource_version;
    std::uint64_t sequence = 0;
    std::uint64_t edition = 0;
  };

  const std::shared_ptr<SharedView> view_;
  SharedView::Reader reader_;
  Mutex cut_mutex_;

  // Taken, but not part of the next two yet.
  std::optional<SharedView::Taken> taken_ KSR_GUARDED_BY(cut_mutex_);
  // What changed from the last delivered snapshot to what was taken last.
  store::Changes since_delivered_ KSR_GUARDED_BY(cut_mutex_);
  // What was taken last, while no snapshot shows it; without its changes.
  std::optional<SharedView::Taken> unseen_ KSR_GUARDED_BY(cut_mutex_);
  Settled settled_ KSR_GUARDED_BY(cut_mutex_);
  // Made for ksr_latest and not delivered yet.
  Made pending_ KSR_GUARDED_BY(cut_mutex_);
  std::uint64_t sequence_ KSR_GUARDED_BY(cut_mutex_) = 0;
  // latest() was called since next() has returned a snapshot: it may be again. For another host none is kept, since the
  // next change would have to copy each node of the cache that it touches, and count their objects up and down.
  bool is_polled_ KSR_GUARDED_BY(cut_mutex_) = false;
};

}  // namespace ksr::delivery

// `SharedView` guards a cache, and passes what changes in it to each of its readers: the publishers of the streams that
// share it, or the only one; used by stream::Session, which writes, and by Publisher, which reads.
// Any thread: `view_mutex_` guards the cache, `share_mutex_` what was cut from it, so that the network thread never
// waits while that is passed on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "delivery/snapshot.hpp"
#include "store/cache.hpp"

namespace ksr::delivery {

class SharedView {
 public:
  // What one publisher has not taken yet, and the snapshot that it keeps. Its view begins empty, whenever it is added.
  class Reader {
   private:
    friend class SharedView;
    using Readers = std::list<Reader*>;

    // Guarded by share_mutex_. Places in lists, made with the reader: none of the calls below allocates for them.
    Readers place_{this};
    const Readers::iterator node_ = place_.begin();
    store::Changes changes_ = store::Changes::from_empty();
    // The newest cut that changes_ has; there is something to take.
    std::uint64_t cut_ = 0;
    bool news_ = false;
    bool left_ = false;
    // What the view was when it left; empty: it holds nothing.
    std::optional<store::View> last_view_;
    std::uint64_t last_edition_ = 0;

    // Guarded by view_mutex_.
    Readers kept_place_{this};
    const Readers::iterator kept_node_ = kept_place_.begin();
    SnapshotRef kept_;
    std::uint64_t kept_edition_ = 0;
  };

  // The state of the cache at one moment, and what has changed for a reader since it took the one before.
  struct Taken {
    store::Cut cut;
    std::uint64_t edition;
  };

  // As store::Cache.
  explicit SharedView(std::size_t limit, std::size_t scopes = 1, const std::vector<std::size_t>& indexed = {})
      : limited_(limit != 0), cache_(limit, scopes, indexed) {}

  // Runs `work(cache)` under the mutex; `work` must not call the host or wait.
  template <class Work>
  auto write(Work&& work) KSR_EXCLUDES(view_mutex_) {
    SnapshotRef outdated;  // dropped after the lock
    const MutexLock lock(view_mutex_);
    // It is outdated for good, and while it is kept each change of the cache copies the nodes that both share.
    if (!keepers_.empty() && keepers_.front()->kept_edition_ != cache_.edition())
      outdated = drop_kept(*keepers_.front());
    return work(cache_);
  }

  // As of the cache.
  void expect(std::string_view uid) noexcept KSR_EXCLUDES(view_mutex_) {
    const MutexLock lock(view_mutex_);
    cache_.expect(uid);
  }
  void expect_soon(std::string_view uid) noexcept KSR_EXCLUDES(view_mutex_) {
    const MutexLock lock(view_mutex_);
    cache_.expect_soon(uid);
  }

  void add(Reader& reader) noexcept KSR_EXCLUDES(share_mutex_, view_mutex_);
  // The reader leaves: what changes later costs nothing for it. After freeze() take() and kept() go on with the view as
  // it is now, without memory with none; after remove() they have nothing.
  void freeze(Reader& reader) noexcept KSR_EXCLUDES(share_mutex_, view_mutex_);
  void remove(Reader& reader) noexcept KSR_EXCLUDES(share_mutex_, view_mutex_);

  // Empty while the first list is not complete, and when nothing has changed for the reader. Throws std::bad_alloc;
  // nothing is lost then, the next call goes on.
  std::optional<Taken> take(Reader& reader) KSR_EXCLUDES(share_mutex_, view_mutex_);
  // Whether take() has something.
  bool has_news(const Reader& reader) KSR_EXCLUDES(share_mutex_, view_mutex_);

  // Keeps the snapshot, unless it is empty, as long as the cache is what it shows, which is of that edition. Returns
  // what was kept before, to be dropped without a lock.
  SnapshotRef keep(Reader& reader, SnapshotRef made, std::uint64_t edition) KSR_EXCLUDES(share_mutex_, view_mutex_);
  // The snapshot that is kept for the reader, made by `make(view, same)` of the view where there is none: if it is of
  // that edition (`same`), under that version. Empty: take() has something.
  template <class Make>
  std::optional<SnapshotRef> kept(Reader& reader, std::uint64_t edition, std::string_view resource_version, Make&& make)
      KSR_EXCLUDES(share_mutex_, view_mutex_) {
    SnapshotRef outdated;  // dropped after the locks
    const MutexLock share_lock(share_mutex_);
    if (reader.left_) {
      if (reader.news_) return std::nullopt;
      if (!reader.last_view_) return SnapshotRef();
      const bool same = edition == reader.last_edition_;
      return make(same ? reader.last_view_->under(resource_version) : *reader.last_view_, same);
    }
    const MutexLock view_lock(view_mutex_);
    if (news_of(reader)) return std::nullopt;
    // What is no change for the host moves the view on all the same.
    if (!reader.kept_ || reader.kept_edition_ != cache_.edition()) {
      outdated = drop_kept(reader);
      const bool same = edition == cache_.edition();
      put_kept(reader, make(same ? cache_.view(resource_version) : cache_.view(), same));
    }
    return reader.kept_;
  }

  // `make(view)` of the view where it is another edition, which it then is of; an empty snapshot where it is not.
  // Empty: take() has something.
  template <class Make>
  std::optional<SnapshotRef> renewed(Reader& reader, std::uint64_t& edition, Make&& make)
      KSR_EXCLUDES(share_mutex_, view_mutex_) {
    const MutexLock share_lock(share_mutex_);
    if (reader.left_) {
      if (reader.news_) return std::nullopt;
      if (!reader.last_view_ || edition == reader.last_edition_) return SnapshotRef();
      SnapshotRef made = make(*reader.last_view_);
      edition = reader.last_edition_;
      return made;
    }
    const MutexLock view_lock(view_mutex_);
    if (news_of(reader)) return std::nullopt;
    if (edition == cache_.edition()) return SnapshotRef();
    SnapshotRef made = make(cache_.view());
    edition = cache_.edition();
    return made;
  }

  // With a limit the view does not say whether an object that it does not show any more was deleted.
  void mark_left(store::Deltas& deltas) KSR_EXCLUDES(view_mutex_);

 private:
  struct Pending {
    store::Changes changes;
    std::uint64_t cut;
  };

  bool news_of(const Reader& reader) const KSR_REQUIRES(share_mutex_, view_mutex_);
  std::optional<Taken> take_newest(Reader& reader) KSR_REQUIRES(share_mutex_) KSR_EXCLUDES(view_mutex_);
  void hold_last(Reader& reader) KSR_REQUIRES(share_mutex_) KSR_EXCLUDES(view_mutex_);
  // Returns what was kept for it, to be dropped without a lock.
  SnapshotRef leave(Reader& reader) noexcept KSR_REQUIRES(share_mutex_) KSR_EXCLUDES(view_mutex_);
  void share() KSR_REQUIRES(share_mutex_);
  SnapshotRef drop_kept(Reader& reader) noexcept KSR_REQUIRES(view_mutex_);
  void put_kept(Reader& reader, SnapshotRef made) noexcept KSR_REQUIRES(view_mutex_);

  const bool limited_;
  Mutex share_mutex_ KSR_ACQUIRED_BEFORE(view_mutex_);
  Reader::Readers readers_ KSR_GUARDED_BY(share_mutex_);
  std::uint64_t cuts_ KSR_GUARDED_BY(share_mutex_) = 0;
  // Of the last one: what came since is no change for the host, and noted nowhere.
  std::uint64_t cut_edition_ KSR_GUARDED_BY(share_mutex_) = 0;
  // Cut, but not passed on to every reader yet.
  std::optional<Pending> pending_ KSR_GUARDED_BY(share_mutex_);

  Mutex view_mutex_;
  store::Cache cache_ KSR_GUARDED_BY(view_mutex_);
  // Those that keep a snapshot, the oldest first.
  Reader::Readers keepers_ KSR_GUARDED_BY(view_mutex_);
};

}  // namespace ksr::delivery

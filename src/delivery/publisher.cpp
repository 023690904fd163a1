#include "delivery/publisher.hpp"

#include <utility>

namespace ksr::delivery {

Publisher::Publisher(std::shared_ptr<SharedView> view) : view_(std::move(view)) {
  view_->add(reader_);
}

Publisher::~Publisher() {
  view_->remove(reader_);
}

SnapshotRef Publisher::latest() {
  // Dropped after the lock: a last reference may free many objects.
  Made superseded;
  SnapshotRef renewed;
  const MutexLock lock(cut_mutex_);
  is_polled_ = true;
  for (;;) {
    if (gather()) superseded = std::exchange(pending_, make());
    if (pending_.snapshot) {
      if (!renew_pending(renewed)) continue;
      return pending_.snapshot;
    }
    if (std::optional<SnapshotRef> last = settled()) return *std::move(last);
  }
}

SnapshotRef Publisher::next() {
  Settled before;  // dropped after the lock, as all of these
  store::Changes changes;
  SnapshotRef outdated;
  const MutexLock lock(cut_mutex_);
  // A snapshot that ksr_latest has shown is delivered as it is, so that sequences reach the host without gaps.
  // Unless latest() had no memory for the next one, whose changes are gathered with its own.
  if ((!pending_.snapshot || unseen_) && gather()) pending_ = make();
  if (!pending_.snapshot) return {};
  std::string resource_version(pending_.snapshot->view().resource_version());
  const Made made = std::exchange(pending_, Made());
  // Without the view, which would keep each object that has changed since.
  store::Deltas deltas = made.snapshot->deltas().rebased_on(store::View());
  before = std::exchange(settled_,
                         {std::move(deltas), std::move(resource_version), made.snapshot->sequence(), made.edition});
  changes = std::exchange(since_delivered_, store::Changes());
  outdated = view_->keep(reader_, std::exchange(is_polled_, false) ? made.snapshot : SnapshotRef(), made.edition);
  return made.snapshot;
}

bool Publisher::changed() {
  const MutexLock lock(cut_mutex_);
  return pending_.snapshot || unseen_ || taken_ || view_->has_news(reader_);
}

bool Publisher::gather() {
  if (taken_) fold_taken();
  taken_ = view_->take(reader_);
  if (taken_) fold_taken();
  return unseen_.has_value();
}

void Publisher::fold_taken() {
  since_delivered_.append(taken_->cut.changes);
  taken_->cut.changes = store::Changes();
  unseen_ = std::exchange(taken_, std::nullopt);
}

Publisher::Made Publisher::make() {
  const store::View& view = unseen_->cut.view;
  store::Deltas deltas(since_delivered_, view);
  view_->mark_left(deltas);
  Made made;
  if (settled_.sequence > 0 && deltas.count() == 0) {
    if (sequence_ > settled_.sequence) {
      settled_ = {deltas.rebased_on(store::View()), std::string(view.resource_version()), sequence_ + 1,
                  unseen_->edition};
      ++sequence_;
    }
    since_delivered_ = store::Changes();
  } else {
    made = {SnapshotRef(new Snapshot(view, std::move(deltas), sequence_ + 1)), unseen_->edition};
    ++sequence_;
  }
  unseen_.reset();
  return made;
}

bool Publisher::renew_pending(SnapshotRef& before) {
  std::optional<SnapshotRef> renewed =
      view_->renewed(reader_, pending_.edition, [shown = pending_.snapshot](const store::View& view) {
        return SnapshotRef(new Snapshot(view, shown->deltas().renewed_on(view), shown->sequence()));
      });
  if (!renewed) return false;
  if (*renewed) before = std::exchange(pending_.snapshot, *std::move(renewed));
  return true;
}

std::optional<SnapshotRef> Publisher::settled() {
  if (settled_.sequence == 0) return SnapshotRef();
  // Under cut_mutex_ all the time, which the analysis does not see within.
  return view_->kept(reader_, settled_.edition, settled_.resource_version,
                     [last = &settled_](const store::View& view, bool same) {
                       store::Deltas deltas = same ? last->deltas->rebased_on(view) : last->deltas->renewed_on(view);
                       return SnapshotRef(new Snapshot(view, std::move(deltas), last->sequence));
                     });
}

}  // namespace ksr::delivery

// `Snapshot` is what on_update and ksr_latest return: a view, and its deltas against the snapshot delivered before;
// used by Publisher and abi/. Immutable and counted, outlives the stream. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "store/changes.hpp"
#include "store/view.hpp"

namespace ksr::delivery {

class Snapshot {
 public:
  Snapshot(store::View view, store::Deltas deltas, std::uint64_t sequence)
      : view_(std::move(view)), deltas_(std::move(deltas)), sequence_(sequence) {}
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  const store::View& view() const noexcept { return view_; }
  const store::Deltas& deltas() const noexcept { return deltas_; }
  std::uint64_t sequence() const noexcept { return sequence_; }

  void retain() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  ~Snapshot() = default;

  store::View view_;
  store::Deltas deltas_;
  std::uint64_t sequence_;
  mutable std::atomic<std::size_t> references_{1};
};

// One reference to a snapshot; empty by default.
class SnapshotRef {
 public:
  SnapshotRef() = default;
  // Takes over the reference that the caller owns.
  explicit SnapshotRef(const Snapshot* owned) noexcept : snapshot_(owned) {}
  SnapshotRef(const SnapshotRef& other) noexcept : snapshot_(other.snapshot_) {
    if (snapshot_ != nullptr) snapshot_->retain();
  }
  SnapshotRef(SnapshotRef&& other) noexcept : snapshot_(std::exchange(other.snapshot_, nullptr)) {}
  SnapshotRef& operator=(SnapshotRef other) noexcept {
    std::swap(snapshot_, other.snapshot_);
    return *this;
  }
  ~SnapshotRef() {
    if (snapshot_ != nullptr) snapshot_->release();
  }

  const Snapshot* get() const noexcept { return snapshot_; }
  const Snapshot& operator*() const noexcept { return *snapshot_; }
  const Snapshot* operator->() const noexcept { return snapshot_; }
  explicit operator bool() const noexcept { return snapshot_ != nullptr; }
  // Gives the reference to the caller.
  const Snapshot* detach() noexcept { return std::exchange(snapshot_, nullptr); }

 private:
  const Snapshot* snapshot_ = nullptr;
};

}  // namespace ksr::delivery

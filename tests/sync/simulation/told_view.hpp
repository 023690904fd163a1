// `ToldView` is what the host of one stream knows of a view: it adds the deltas of the snapshots up, and checks each
// snapshot against etcd; used by SharedStream, and by the simulation of tests/stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "delivery/snapshot.hpp"
#include "simulation/etcd.hpp"

namespace ksr::sync::testing {

// Each check that fails throws InvariantViolation.
class ToldView {
 public:
  // uid to resourceVersion.
  using Held = std::map<std::string, std::string>;
  // What is shown at one moment.
  struct Shown {
    std::uint64_t sequence = 0;
    Held held;
  };

  // `limit`: as the config key; then a view holds no more than so many of the objects.
  ToldView(const Etcd& etcd, std::string name, std::size_t limit = 0);

  // The next snapshot reaches the host.
  void deliver(const delivery::Snapshot& snapshot);
  // ksr_latest returns it; empty: it returns none.
  void show(const delivery::SnapshotRef& latest);
  // What was delivered is all that the server has.
  void check_complete() const;
  bool is_complete() const;
  // Nothing but what was delivered is in it.
  bool agrees_with(const delivery::SnapshotRef& latest) const;
  std::uint64_t sequence() const { return sequence_; }

  static Shown shown(const delivery::SnapshotRef& latest);

 private:
  void expect(bool holds, const char* what) const;
  Held after(const delivery::Snapshot& snapshot) const;
  void check_view(const store::View& view, bool delivered);
  static Held held_by(const store::View& view);

  const Etcd& etcd_;
  const std::string name_;
  const std::size_t limit_;
  std::uint64_t sequence_ = 0;
  // As the deltas say.
  Held held_;
  // The server's state at the last view's resourceVersion.
  Etcd::State expected_;
  std::size_t expected_next_ = 0;
  Revision expected_version_ = 0;
};

}  // namespace ksr::sync::testing

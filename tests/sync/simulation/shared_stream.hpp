// `SharedStream` is one of the streams that share the view of a Client: a publisher of that view and a host that takes
// snapshots at random times, adds their deltas up, and checks them against etcd; used by Client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "delivery/publisher.hpp"
#include "simulation/world.hpp"

namespace ksr::sync::testing {

class SharedStream {
 public:
  // `slowest`: how long its host may take until the next snapshot.
  SharedStream(World& world, std::string name, const std::shared_ptr<delivery::SharedView>& view, Milliseconds slowest);

  bool has_news() { return publisher_.changed(); }
  Milliseconds slowest() const { return slowest_; }
  // The host takes the next snapshot, if there is one.
  void deliver();
  // As ksr_latest.
  void show_latest();
  // All that there is, when that is the state of the server.
  void deliver_all();
  // As ksr_cancel. From then on ksr_latest shows the same.
  void end();
  bool ended() const { return last_.has_value(); }
  void check_end();

  bool delivery_planned = false;

 private:
  // uid to resourceVersion.
  using Held = std::map<std::string, std::string>;
  struct Last {
    std::uint64_t sequence = 0;
    Held held;
  };

  void expect(bool holds, const char* what) const;
  Held after(const delivery::Snapshot& snapshot) const;
  void check_view(const store::View& view, bool delivered);
  Last shown();
  static Held held_by(const store::View& view);

  World& world_;
  const std::string name_;
  const Milliseconds slowest_;
  delivery::Publisher publisher_;
  std::uint64_t sequence_ = 0;
  // As the deltas say.
  Held held_;
  // The server's state at the last view's resourceVersion.
  Etcd::State expected_;
  std::size_t expected_next_ = 0;
  Revision expected_version_ = 0;
  std::optional<Last> last_;
};

}  // namespace ksr::sync::testing

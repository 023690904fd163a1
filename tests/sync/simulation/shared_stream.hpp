// `SharedStream` is one of the streams that share the view of a Client: a publisher of that view and a host that takes
// snapshots at random times, which are checked against etcd; used by Client.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "delivery/publisher.hpp"
#include "simulation/told_view.hpp"
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
  void show_latest() { told_.show(publisher_.latest()); }
  // All that there is, when that is the state of the server.
  void deliver_all();
  // As ksr_cancel. From then on ksr_latest shows the same.
  void end();
  bool ended() const { return last_.has_value(); }
  void check_end();

  bool delivery_planned = false;

 private:
  const std::string name_;
  const Milliseconds slowest_;
  delivery::Publisher publisher_;
  ToldView told_;
  std::optional<ToldView::Shown> last_;
};

}  // namespace ksr::sync::testing

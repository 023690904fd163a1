// One scenario from its seed: troubles, then calm, then the view must be the truth.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "simulation/api_server.hpp"
#include "simulation/client.hpp"
#include "simulation/world.hpp"

namespace ksr::sync::testing {

class Simulation {
 public:
  Simulation(std::uint64_t seed, bool tracing);

  // Which invariant was broken; empty when all held.
  std::optional<std::string> run();
  std::size_t steps() const { return world_.agenda.steps(); }

 private:
  void run_until(Instant limit);
  void live_through_troubles();
  void act();
  void write();
  void cut_something();
  void outage();
  void refusal();
  void expiry();
  void lie();
  void fall_asleep();
  void calm_down();
  void await_convergence();
  void cancel_all();
  bool converged() const;

  World world_;
  ApiServer server_;
  Instant awake_at_{};
  std::shared_ptr<ServerState> server_state_ = std::make_shared<ServerState>();
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace ksr::sync::testing

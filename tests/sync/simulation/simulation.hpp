// `Simulation` runs the scenario of one seed: first with faults, then without new ones, and then each view must become
// the server's state; used by main.
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

  // Which invariant was violated; empty: none.
  std::optional<std::string> run();
  std::size_t steps() const { return world_.agenda.steps(); }

 private:
  void run_until(Instant limit);
  void run_with_faults();
  void act();
  void write();
  void cut_something();
  void outage();
  void refusal();
  void expiry();
  void send_invalid();
  void sleep_all();
  void run_without_faults();
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

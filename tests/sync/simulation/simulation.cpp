#include "simulation/simulation.hpp"

#include <algorithm>
#include <array>

namespace ksr::sync::testing {

using namespace std::chrono_literals;

Simulation::Simulation(std::uint64_t seed, bool tracing) : world_(seed, tracing), server_(world_) {
  for (std::size_t i = 0; i < world_.scenario.streams; ++i) {
    clients_.push_back(std::make_unique<Client>(world_, server_, server_state_, i));
  }
}

std::optional<std::string> Simulation::run() {
  try {
    run_with_faults();
    run_without_faults();
    await_convergence();
    cancel_all();
  } catch (const InvariantViolation& violation) {
    world_.trace(std::string("VIOLATED: ") + violation.what());
    return violation.what();
  }
  return std::nullopt;
}

void Simulation::run_until(Instant limit) {
  while (world_.agenda.step(limit)) {
  }
}

void Simulation::run_with_faults() {
  for (int i = 0; i < 10; ++i) write();
  for (auto& client : clients_) client->start();
  const std::size_t change = world_.scenario.next_gateway == Gateway::none
                                 ? world_.scenario.actions
                                 : world_.random.below(world_.scenario.actions);
  for (std::size_t i = 0; i < world_.scenario.actions; ++i) {
    if (i == change) server_.change_gateway();
    run_until(world_.agenda.now() + world_.random.between(0ms, 2 * world_.scenario.pace));
    act();
  }
}

void Simulation::act() {
  SeededRandom& random = world_.random;
  const Scenario& scenario = world_.scenario;
  double roll = random.unit() * (scenario.writes + scenario.cuts + scenario.outages + scenario.refusals +
                                 scenario.expiries + scenario.inconsistencies + scenario.sleeps);
  const auto is = [&](double weight) { return (roll -= weight) < 0; };
  if (is(scenario.writes)) return write();
  if (is(scenario.cuts)) return cut_something();
  if (is(scenario.outages)) return outage();
  if (is(scenario.refusals)) return refusal();
  if (is(scenario.expiries)) return expiry();
  if (is(scenario.inconsistencies)) return send_invalid();
  sleep_all();
}

void Simulation::write() {
  SeededRandom& random = world_.random;
  const std::size_t burst = random.chance(0.1) ? 10 : 1;
  for (std::size_t i = 0; i < burst; ++i) {
    const std::size_t name = random.below(Etcd::kNames);
    if (random.chance(0.25)) {
      server_.remove(name);
    } else {
      server_.put(name);
    }
  }
  if (random.chance(0.2)) server_.bump(1 + static_cast<Revision>(random.below(5)));
}

void Simulation::cut_something() {
  SeededRandom& random = world_.random;
  Call* call = server_.random_call(random.chance(0.7));
  world_.trace("cut");
  if (random.chance(0.1)) return server_.send_after_end();
  if (call == nullptr) return;
  if (random.chance(0.3)) {
    call->blackholed = true;
  } else if (call->attached && random.chance(0.4)) {
    server_.end(*call);
  } else {
    server_.cut(*call);
  }
}

void Simulation::outage() {
  world_.trace("outage");
  switch (world_.random.below(4)) {
    case 0:
      return server_.refuse_all(world_.random.between(1s, 60s));
    case 1:
      return server_.blackhole_all(world_.random.between(1s, 40s));
    default:
      return server_.restart_replica();
  }
}

void Simulation::refusal() {
  world_.trace("refusal");
  switch (world_.random.below(5)) {
    case 0:
      return server_.overload(world_.random.between(1s, 30s));
    case 1:
      return server_.forbid(world_.random.between(1s, 10s));
    case 2:
      return server_.forget_resource(world_.random.between(1s, 10s));
    case 3:
      return server_.close_next_watches_at_once(1 + static_cast<int>(world_.random.below(30)));
    default:
      server_.renew_credentials();
  }
  if (Call* call = server_.random_call(true)) server_.cut(*call);
}

void Simulation::expiry() {
  SeededRandom& random = world_.random;
  world_.trace("expiry");
  if (random.chance(0.4)) return server_.compact();
  if (random.chance(0.3)) return server_.change_lag();
  Call* call = server_.random_call(true);
  if (call == nullptr) return;
  switch (random.below(5)) {
    case 0:
      return server_.error_event(*call, 410, "Expired");
    case 1:
      return server_.error_event(*call, 0, "InternalError");
    case 2:
      return server_.error_event(*call, 500, "InternalError");
    case 3:
      return server_.error_event(*call, 429, "TooManyRequests");
    default:
      return server_.repeat_last_event(*call);
  }
}

void Simulation::send_invalid() {
  SeededRandom& random = world_.random;
  world_.trace("fault");
  if (random.chance(0.4)) {
    constexpr std::array faults{ListFault::goes_back, ListFault::other_kind, ListFault::empty_pages,
                                ListFault::no_version, ListFault::circle};
    return server_.falsify_next_list(faults[random.below(faults.size())]);
  }
  Call* call = server_.random_call(true);
  if (call == nullptr) return;
  switch (random.below(8)) {
    case 0:
      return server_.send_bad_event(*call);
    case 6:
    case 7:
      call->corrupt_next = true;
      return;
    case 1:
      return server_.send_garbage(*call);
    case 2:
      return server_.send_other_type(*call);
    case 3:
      return server_.send_old_event(*call);
    case 4:
      return server_.send_old_bookmark(*call);
    default:
      return server_.send_empty_bookmark(*call);
  }
}

// All streams of a machine sleep at once.
void Simulation::sleep_all() {
  if (world_.agenda.now() < awake_at_) return;
  world_.trace("sleep");
  const Instant until = world_.agenda.now() + world_.random.between(20s, 600s);
  awake_at_ = until;
  const double lost = world_.random.chance(0.7) ? 1.0 : 0.3;
  for (auto& client : clients_) {
    server_.blackhole_requests_of(*client, lost);
    client->sleep(until);
  }
}

// Connections that are broken stay so, but no new fault occurs.
void Simulation::run_without_faults() {
  world_.quiet = true;
  world_.trace("no new faults");
  server_.stop_faults();
  if (clients_.size() > 1 && world_.random.chance(0.3)) clients_.front()->cancel();
  run_until(std::max(awake_at_, world_.agenda.now() + world_.scenario.max_lag + 8s));
  for (int i = 0; i < 3; ++i) write();
}

// At most the longest time for which a dead watch may stay unnoticed, and the longest wait before the retry that
// succeeds.
void Simulation::await_convergence() {
  const Milliseconds watch = world_.scenario.options.watch_timeout.value_or(600s);
  // Behind a gateway two watches may pass on nothing before the other transport is used.
  const Instant limit = world_.agenda.now() + 3 * watch + 1000s;
  while (!converged()) {
    if (!world_.agenda.step(limit)) throw InvariantViolation("not converged in time after the faults");
  }
  for (auto& client : clients_) {
    if (!client->cancelled()) client->deliver_all();
  }
}

bool Simulation::converged() const {
  for (const auto& client : clients_) {
    if (!client->converged()) return false;
  }
  return true;
}

void Simulation::cancel_all() {
  for (auto& client : clients_) client->cancel();
  for (int i = 0; i < 20; ++i) server_.send_after_end();
  run_until(world_.agenda.now() + 700s);
  if (server_state_->limiter().in_flight() != 0) throw InvariantViolation("a cancelled stream still holds a slot");
}

}  // namespace ksr::sync::testing

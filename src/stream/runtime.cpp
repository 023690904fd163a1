#include "stream/runtime.hpp"

#include <time.h>

#include <cstdint>
#include <exception>
#include <iterator>
#include <utility>

#include "base/system_random.hpp"
#include "base/thread_check.hpp"
#include "stream/engine.hpp"
#include "transport/real_transport.hpp"

namespace ksr::stream {
namespace {

constexpr std::chrono::seconds kClockCheckInterval{5};

std::int64_t milliseconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000 + time.tv_nsec / 1'000'000;
}

Milliseconds boot_offset() {
  return Milliseconds(milliseconds_of(CLOCK_BOOTTIME) - milliseconds_of(CLOCK_MONOTONIC));
}

}  // namespace

std::shared_ptr<sync::ServerState> ServerStates::of(const cluster::Access& access) {
  std::weak_ptr<sync::ServerState>& entry = states_[&access];
  std::shared_ptr<sync::ServerState> state = entry.lock();
  if (!state) {
    state = std::make_shared<sync::ServerState>();
    entry = state;
  }
  return state;
}

void ServerStates::remove_unused() {
  for (auto entry = states_.begin(); entry != states_.end();) {
    entry = entry->second.expired() ? states_.erase(entry) : std::next(entry);
  }
}

Runtime& Runtime::instance() {
  static Runtime* const leaked = [] {
    auto* const runtime = new Runtime(transport::network_thread(), transport::real_transport());
    transport::network_thread().on_lost_task([runtime](const Error& error) { runtime->on_lost_task(error); });
    return runtime;
  }();
  return *leaked;
}

std::unique_ptr<Random> Runtime::random() const {
  return make_random_ ? make_random_() : std::make_unique<SystemRandom>();
}

void Runtime::add(std::list<std::shared_ptr<Engine>>& list_node) {
  KSR_ASSERT_ON_THREAD(executor_);
  engines_.splice(engines_.end(), list_node);
  if (!next_check_) check_clock();
}

void Runtime::remove(const std::shared_ptr<Engine>& engine) {
  KSR_ASSERT_ON_THREAD(executor_);
  engines_.remove(engine);
  server_states_.remove_unused();
  if (!engines_.empty()) return;
  next_check_.reset();
  suspend_watch_.reset();
}

void Runtime::check_clock() {
  // Empty, should there be no memory for the next one: then add() tries again.
  next_check_.reset();
  next_check_ = executor_.schedule(executor_.now() + kClockCheckInterval, [this] { check_clock(); });
  const bool suspended = suspend_watch_.suspended(boot_offset());
  for (const auto& engine : engines_) {
    if (suspended) engine->on_clock_jump();
    engine->rearm();
  }
}

void Runtime::on_lost_task(const Error& error) {
  KSR_ASSERT_ON_THREAD(executor_);
  std::exception_ptr thrown;
  for (const auto& engine : engines_) {
    // One engine without memory for it must not keep the others from it.
    try {
      engine->on_lost(error);
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  if (!engines_.empty() && !next_check_) check_clock();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace ksr::stream

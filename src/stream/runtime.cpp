#include "stream/runtime.hpp"

#include <time.h>

#include <cstdint>
#include <exception>
#include <utility>

#include "stream/engine.hpp"
#include "transport/real_transport.hpp"

namespace ksr::stream {
namespace {

constexpr std::chrono::seconds kLookInterval{5};

std::int64_t milliseconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000 + time.tv_nsec / 1'000'000;
}

Milliseconds boot_offset() {
  return Milliseconds(milliseconds_of(CLOCK_BOOTTIME) - milliseconds_of(CLOCK_MONOTONIC));
}

}  // namespace

Runtime& Runtime::instance() {
  static Runtime* const leaked = [] {
    auto* const runtime = new Runtime(transport::network_thread(), transport::real_transport());
    transport::network_thread().on_lost_task([runtime](const Error& error) { runtime->on_lost_task(error); });
    return runtime;
  }();
  return *leaked;
}

void Runtime::add(std::list<std::shared_ptr<Engine>>& list_node) {
  engines_.splice(engines_.end(), list_node);
  if (!next_look_) look_at_clock();
}

void Runtime::remove(const std::shared_ptr<Engine>& engine) {
  engines_.remove(engine);
  memories_.forget_unused();
  if (!engines_.empty()) return;
  next_look_.reset();
  suspend_watch_.reset();
}

void Runtime::look_at_clock() {
  // Empty while there is none to come, should there be no memory for the next one.
  next_look_.reset();
  next_look_ = executor_.schedule(executor_.now() + kLookInterval, [this] { look_at_clock(); });
  const bool slept = suspend_watch_.slept(boot_offset());
  for (const auto& engine : engines_) {
    if (slept) engine->on_clock_jump();
    engine->look_again();
  }
}

void Runtime::on_lost_task(const Error& error) {
  std::exception_ptr thrown;
  for (const auto& engine : engines_) {
    // One that lacks memory for it must not keep the others from it.
    try {
      engine->on_lost(error);
    } catch (...) {
      thrown = std::current_exception();
    }
  }
  if (!engines_.empty() && !next_look_) look_at_clock();
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace ksr::stream

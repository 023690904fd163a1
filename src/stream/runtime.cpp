#include "stream/runtime.hpp"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "stream/engine.hpp"
#include "transport/real_transport.hpp"

namespace ksr::stream {
namespace {

constexpr std::chrono::seconds look_interval{5};

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
  static Runtime* const leaked = new Runtime(transport::network_thread(), transport::real_transport());
  return *leaked;
}

void Runtime::add(std::shared_ptr<Engine> engine) {
  engines_.push_back(std::move(engine));
  if (!next_look_) look_at_clock();
}

void Runtime::remove(const std::shared_ptr<Engine>& engine) {
  engines_.erase(std::remove(engines_.begin(), engines_.end(), engine), engines_.end());
  memories_.forget_unused();
  if (!engines_.empty()) return;
  next_look_.reset();
  suspend_watch_.reset();
}

void Runtime::look_at_clock() {
  if (suspend_watch_.slept(boot_offset())) {
    for (const auto& engine : engines_) engine->on_clock_jump();
  }
  next_look_ = executor_.schedule(executor_.now() + look_interval, [this] { look_at_clock(); });
}

}  // namespace ksr::stream

#include "host.hpp"

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <iostream>
#include <string>

namespace {

constexpr std::chrono::seconds kTick{1};

volatile std::sig_atomic_t stop = 0;

// Without SA_RESTART: a signal ends the wait, and one that comes just before it is seen at the next tick.
void take_signals() {
  struct sigaction action = {};
  action.sa_handler = [](int) { stop = 1; };
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

// Whether the stream has something to dispatch; nothing when poll fails.
std::optional<bool> wait_for(int descriptor, std::chrono::steady_clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now()).count();
  pollfd waiting = {descriptor, POLLIN, 0};
  const int ready = poll(&waiting, 1, left > 0 ? static_cast<int>(left) : 0);
  if (ready < 0 && errno == EINTR) return false;
  if (ready < 0 || (waiting.revents & (POLLERR | POLLNVAL)) != 0) return std::nullopt;
  return ready > 0;
}

void set_keys(ksr::config& config, char** keys) {
  for (; *keys != nullptr; ++keys) {
    const std::string word = *keys;
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) throw ksr::error(ksr::status::invalid, "expected KEY=VALUE, not " + word);
    config.set(word.substr(0, equals), word.substr(equals + 1));
  }
  // Last, so that it takes effect: no thread of the library may enter this host.
  config.set("delivery", "manual");
}

}  // namespace

Host::Host(char** keys) {
  ksr::config config;
  set_keys(config, keys);
  config.on_update([this](ksr::stream_ref, const ksr::snapshot& view) {
    count();
    for (const auto& [kind, object, before, left] : view.deltas()) {
      std::cout << to_string(kind) << ' ' << object.ns() << '/' << object.name() << '\n';
    }
    std::cout << "view " << view.size() << std::endl;
  });
  config.on_error([this](ksr::stream_ref, const ksr::error& error) {
    count();
    failed_ = failed_ || error.is_fatal();
    std::cerr << "plugin-host: " << error.what();
    if (const auto wait = error.retry_after()) std::cerr << " (next try: " << wait->count() << " ms)";
    std::cerr << std::endl;
  });
  config.on_state([this](ksr::stream_ref, ksr::state now) {
    count();
    closed_ = closed_ || now == ksr::state::closed;
  });
  config.on_destroy([this] {
    count();
    destroyed_ = true;
  });
  stream_ = ksr::stream(config);
}

void Host::count() {
  ++callbacks_;
  if (std::this_thread::get_id() != thread_) ++foreign_callbacks_;
}

void Host::report() const {
  std::cout << "tick " << stream_.stat("objects") << " objects, " << stream_.stat("events") << " events" << std::endl;
}

bool Host::run(long seconds) {
  take_signals();
  auto next_tick = std::chrono::steady_clock::now() + kTick;
  for (long ticks = 0; stop == 0 && !closed_ && (seconds == 0 || ticks < seconds);) {
    const std::optional<bool> ready = wait_for(stream_.fd(), next_tick);
    if (!ready) return false;
    if (*ready) stream_.dispatch();
    if (std::chrono::steady_clock::now() < next_tick) continue;
    ++ticks;
    next_tick += kTick;
    report();
  }
  return !failed_;
}

bool Host::close() {
  stream_.close();
  if (!closed_ || !destroyed_) return false;
  std::cout << "closed after " << callbacks_ << " callbacks, " << foreign_callbacks_ << " of them on foreign threads"
            << std::endl;
  return foreign_callbacks_ == 0;
}

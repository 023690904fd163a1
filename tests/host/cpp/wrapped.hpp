// What the tests of ksr.hpp share: a server, configurations for it, and `Told`, into which callbacks write and for
// which tests wait. `Told` may be used on any thread.
#pragma once

#include <doctest/doctest.h>
#include <ksr.hpp>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/cases/on_server.hpp"
#include "support/wait_limit.hpp"

namespace ksr::testing {

inline ksr::config config_of(const Settings& settings) {
  ksr::config config;
  for (const auto& [key, value] : settings) config.set(key, value);
  return config;
}

inline ksr::config pods_on(const testserver::ApiServer& server, const Settings& more = {}) {
  ksr::config config = config_of(on_server(server, "http"));
  for (const auto& [key, value] : more) config.set(key, value);
  return config;
}

inline ksr::config client_on(const testserver::ApiServer& server, const Settings& more = {}) {
  ksr::config config{{"server", server.url()}, {"token", kTestToken}};
  for (const auto& [key, value] : more) config.set(key, value);
  return config;
}

// A connection that nothing answers.
inline ksr::config nowhere() {
  return ksr::config{{"server", "http://127.0.0.1:1"}, {"resource", "v1/pods"}, {"backoff_initial", "10ms"}};
}

class Told {
 public:
  void say(std::string words) {
    const std::lock_guard<std::mutex> lock(mutex_);
    words_.push_back(std::move(words));
    changed_.notify_all();
  }

  // Whether it came within the limit.
  bool wait_for(const std::string& words, std::size_t times = 1) {
    std::unique_lock<std::mutex> lock(mutex_);
    return changed_.wait_for(lock, kWaitLimit, [&] { return count_locked(words) >= times; });
  }
  std::size_t count(const std::string& words) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_locked(words);
  }
  std::vector<std::string> all() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return words_;
  }

 private:
  std::size_t count_locked(const std::string& words) const {
    return static_cast<std::size_t>(std::count(words_.begin(), words_.end(), words));
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> words_;
};

// The message of the ksr::error that `action` throws, after its status; "" without one.
template <class Action>
std::string thrown_by(Action&& action) {
  try {
    action();
  } catch (const ksr::error& error) {
    return std::string(to_string(error.code())) + " " + error.what();
  }
  return "";
}

// The status of the ksr::error that `action` throws.
template <class Action>
ksr::status status_of(Action&& action) {
  try {
    action();
  } catch (const ksr::error& error) {
    return error.code();
  }
  return ksr::status::ok;
}

// Of any exception.
inline std::string text_of(const std::exception_ptr& thrown) {
  if (thrown == nullptr) return "none";
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& known) {
    return known.what();
  } catch (...) {
    return "unknown";
  }
}

}  // namespace ksr::testing

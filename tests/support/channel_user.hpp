// `ChannelUser` is a host in C++ of one channel: it opens it through ksr.h, records its bytes and events, and checks at
// each callback what must always hold; used by the tests of channels through the C ABI. Safe to use on any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ksr.h"
#include "support/recorder.hpp"

namespace ksr::testing {

struct ChannelEvent {
  std::int32_t event = 0;
  std::int32_t part = 0;
  ksr_status status = KSR_OK;  // of its error
  int http_status = 0;
  std::string message;
  std::int64_t retry_ms = -1;
};

// What ksr_channel_wait said.
struct ChannelEnd {
  ksr_status status = KSR_OK;
  std::optional<int> exit_code;
  int http_status = 0;
  int maybe_done = 0;
  std::string message;
  std::string details;
};

class ChannelUser {
 public:
  enum class Mode { push, pull };

  // Called in on_data, before the bytes are recorded: how many of them are taken. Without it all are.
  std::function<std::size_t(ksr_channel*, std::int32_t part, const std::string& bytes)> taking;
  // Called in on_event, before it is recorded.
  std::function<void(ksr_channel*, const ChannelEvent&)> during_event;

  ChannelUser() = default;
  ChannelUser(const ChannelUser&) = delete;
  ChannelUser& operator=(const ChannelUser&) = delete;
  // Closes the channel if it is open.
  ~ChannelUser();

  // `command` and `subprotocol` may occur several times. KSR_OK, or the status of the first call that failed.
  ksr_status open(ksr_client* client, const Settings& settings, Mode mode = Mode::push);
  ksr_channel* channel() const noexcept { return channel_; }
  const std::string& open_error() const noexcept { return open_error_; }

  // at most kWaitLimit; KSR_E_TIMEOUT then.
  ChannelEnd wait() const;
  // Writes all of it, waiting at most 10 s each time nothing fits; the status of the call that failed.
  ksr_status write_all(std::int32_t part, const std::string& bytes) const;
  std::string info(const char* name) const;
  std::uint64_t stat(const char* name) const;
  void close();

  // Waits until the condition, told while nothing is being recorded, holds; false after kWaitLimit.
  bool wait_until(const std::function<bool(const ChannelUser&)>& condition) const;
  bool wait_for_event(std::int32_t event) const;
  bool wait_for_bytes(std::int32_t part, const std::string& bytes) const;

  // What was taken of a part.
  std::string bytes(std::int32_t part) const;
  // The messages of a WebSocket, each as it came.
  std::vector<std::string> pieces(std::int32_t part) const;
  std::vector<ChannelEvent> events() const;
  std::size_t count(std::int32_t event) const;
  // Callbacks that must not have come, and user_data that was not destroyed once.
  std::vector<std::string> violations() const;

 private:
  static std::size_t on_data(ksr_channel* channel, std::int32_t part, const void* bytes, std::size_t len, void* self);
  static void on_event(ksr_channel* channel, std::int32_t event, std::int32_t part, const ksr_error* error, void* self);
  static void on_destroy(void* self);
  void begin_callback(const char* what);
  void end_callback();

  ksr_channel* channel_ = nullptr;
  std::string open_error_;
  mutable std::recursive_mutex mutex_;
  mutable std::condition_variable_any changed_;
  std::map<std::int32_t, std::string> bytes_;
  std::map<std::int32_t, std::vector<std::string>> pieces_;
  std::vector<ChannelEvent> events_;
  std::vector<std::string> violations_;
  bool in_callback_ = false;
  bool closed_event_ = false;
  int destroyed_ = 0;
};

}  // namespace ksr::testing

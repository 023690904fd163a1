// `Recorder` is a host in C++: it opens a stream through ksr.h, records its callbacks, and checks at every update what
// must always hold; used by the tests through the C ABI. Safe to use on any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ksr.h"
#include "support/wait_limit.hpp"

namespace ksr::testing {

using Settings = std::vector<std::pair<std::string, std::string>>;

struct SeenError {
  ksr_status code = 0;
  int http_status = 0;
  std::int64_t retry_ms = 0;
  std::string message;
  std::string reason;
};

struct SeenDelta {
  ksr_delta kind = 0;
  std::string ns;
  std::string name;
  std::string uid;
  std::string resource_version;
};

// uid -> resourceVersion
using Contents = std::map<std::string, std::string>;

Contents contents_of(const ksr_snapshot* snapshot);
std::string field(const ksr_object* object, ksr_field field);
// The value that ksr_object_get returns, or "(nothing)".
std::string get(const ksr_object* object, const char* pointer);

class Recorder {
 public:
  // Called in the callback, on the stream's thread, before it is recorded.
  std::function<void(ksr_stream*, const ksr_snapshot*)> during_update;
  std::function<void(ksr_stream*, const ksr_error*)> during_error;
  std::function<void(ksr_stream*, ksr_state)> during_state;

  Recorder() = default;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;
  // Closes the stream if it is open.
  ~Recorder();

  // KSR_OK, or the status of ksr_open or of the first failing ksr_config_set; open_error() has the message.
  // `client`: the stream is one of its streams.
  ksr_status open(const Settings& settings, ksr_client* client = nullptr);
  ksr_status close();
  // The caller has closed the stream.
  void forget() { stream_ = nullptr; }
  ksr_stream* stream() const noexcept { return stream_; }
  const std::string& open_error() const noexcept { return open_error_; }

  // False if the condition did not become true within `timeout`.
  bool wait(const std::function<bool(const Recorder&)>& condition,
            std::chrono::milliseconds timeout = ksr::testing::kWaitLimit) const;
  bool wait_state(ksr_state state) const;
  bool wait_count(std::size_t count) const;
  bool wait_name(const std::string& name, bool present = true) const;
  bool wait_error(ksr_status code) const;

  // The functions below may be used in conditions too.
  std::vector<ksr_state> states() const;
  std::vector<SeenError> errors() const;
  std::vector<SeenDelta> deltas() const;
  std::vector<std::string> log() const;
  std::size_t updates() const;
  std::size_t count() const;
  Contents contents() const;
  std::vector<std::string> names() const;  // in the order of the last snapshot
  std::string resource_version() const;
  int destroyed() const noexcept { return destroyed_.load(); }
  // The rules that were violated, for CHECK(recorder.violations().empty()).
  std::vector<std::string> violations() const;
  std::uint64_t stat(const char* name) const;

 private:
  static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* self);
  static void on_error(ksr_stream* stream, const ksr_error* error, void* self);
  static void on_state(ksr_stream* stream, ksr_state state, void* self);
  static void on_log(std::int32_t level, const char* message, std::size_t length, void* self);
  static void on_destroy(void* self);
  class Entry;

  void check_update(const ksr_snapshot* snapshot);
  void violated(std::string rule) { violations_.push_back(std::move(rule)); }

  ksr_stream* stream_ = nullptr;
  std::string open_error_;
  std::atomic<int> inside_{0};
  std::atomic<int> destroyed_{0};

  mutable std::recursive_mutex mutex_;
  mutable std::condition_variable_any recorded_;
  std::vector<ksr_state> states_;
  std::vector<SeenError> errors_;
  std::vector<SeenDelta> deltas_;
  std::vector<std::string> log_;
  std::vector<std::string> names_;
  std::vector<std::string> violations_;
  Contents contents_;
  Contents summed_;  // what the deltas add up to
  Contents newest_;  // uid -> the newest version ever seen
  std::string resource_version_;
  std::uint64_t last_sequence_ = 0;
  std::size_t updates_ = 0;
  bool limited_ = false;
  // The keys of fields: then the versions of the deltas may be older than the snapshot's.
  bool some_changes_are_no_deltas_ = false;
  bool closed_ = false;
};

}  // namespace ksr::testing

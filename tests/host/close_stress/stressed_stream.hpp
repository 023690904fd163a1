// `StressedStream` is one stream of the stress test, with the checks that must hold for it in every order of calls;
// used by close_stress_test. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ksr.h"
#include "support/recorder.hpp"

namespace ksr::testing {

class StressedStream {
 public:
  // `ends_itself`: its callbacks end the stream too, in each way there is.
  StressedStream(bool ends_itself, std::uint32_t seed) : ends_itself_(ends_itself), seed_(seed) {}
  StressedStream(const StressedStream&) = delete;
  StressedStream& operator=(const StressedStream&) = delete;

  void open(const Settings& settings);
  // One call of the ABI, chosen by `engine`.
  void call_any(std::mt19937& engine);
  // ksr_close with the checks of its promises; false if another thread has closed the stream.
  bool close();
  void close_async() { ksr_close_async(stream_); }
  // False if the stream did not sync, which is permitted while connections break.
  bool wait_synced() { return ksr_wait_synced(stream_, 5'000) == KSR_OK; }

  int destroyed() const noexcept { return destroyed_.load(); }
  std::vector<std::string> violations() const;

 private:
  enum Violation : std::uint32_t {
    open_failed = 1,
    overlap = 2,
    after_close = 4,
    after_destroy = 8,
    closed_twice = 16,
    wrong_status = 32,
    wrong_order = 64,
  };
  class Callback;
  // user_data: freed by destroy, so that a late callback uses freed memory, which sanitizers report.
  struct UserData {
    StressedStream* stream;
  };

  static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* user_data);
  static void on_error(ksr_stream* stream, const ksr_error* error, void* user_data);
  static void on_state(ksr_stream* stream, ksr_state state, void* user_data);
  static void on_log(std::int32_t level, const char* message, std::size_t length, void* user_data);
  static void on_destroy(void* user_data);

  void end_in_callback(ksr_stream* stream);
  void violated(Violation rule) { violations_.fetch_or(rule); }

  const bool ends_itself_;
  const std::uint32_t seed_;
  ksr_stream* stream_ = nullptr;
  std::atomic<std::uint32_t> calls_{0};
  std::atomic<int> inside_{0};
  std::atomic<int> destroyed_{0};
  std::atomic<int> ended_{0};  // on_state(CLOSED)
  std::atomic<bool> close_returned_{false};
  std::atomic<std::uint32_t> violations_{0};
  std::uint64_t last_sequence_ = 0;  // callbacks only
};

}  // namespace ksr::testing

// One stream in the storm, and what must hold for it whatever happens. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ksr.h"
#include "support/recorder.hpp"

namespace ksr_test {

class Guest {
 public:
  // `unruly`: its callbacks end the stream, each in its own way.
  Guest(bool unruly, std::uint32_t seed) : unruly_(unruly), seed_(seed) {}
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  void open(const Settings& settings);
  // One of all the calls there are, as `random` has it.
  void poke(std::mt19937& random);
  // What close promises; false when somebody else has closed it.
  bool close();
  void close_async() { ksr_close_async(stream_); }
  // False when it did not come to its view; nothing is wrong with that in a storm.
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
  // What user_data points to: freed by destroy, so that a late callback touches freed memory.
  struct Pass {
    Guest* guest;
  };

  static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* pass);
  static void on_error(ksr_stream* stream, const ksr_error* error, void* pass);
  static void on_state(ksr_stream* stream, ksr_state state, void* pass);
  static void on_log(std::int32_t level, const char* message, std::size_t length, void* pass);
  static void on_destroy(void* pass);

  void misbehave(ksr_stream* stream);
  void violated(Violation rule) { violations_.fetch_or(rule); }

  const bool unruly_;
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

}  // namespace ksr_test

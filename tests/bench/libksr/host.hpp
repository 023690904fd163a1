// `Host` has one stream, which it opens through the C ABI, and waits for its deliveries; used by the cases. The
// callback runs on the stream's thread, all else on the main thread.
#pragma once

#include <ksr.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace ksr::bench {

using Settings = std::map<std::string, std::string>;

class Host {
 public:
  using Update = std::function<void(const ksr_snapshot*)>;

  // `update` is called in on_update, before waiting threads are notified of the snapshot.
  explicit Host(const Settings& settings, Update update = nullptr);
  ~Host();

  // Waits until a snapshot of that resourceVersion, or a later one, was delivered.
  void wait_for_version(std::uint64_t version);
  void wait_for_first();

  double first_update_at() const { return first_update_at_; }
  std::uint64_t deliveries() const { return deliveries_; }
  std::uint64_t errors() const { return errors_; }
  std::uint64_t stat(const char* name) const;
  const ksr_snapshot* latest() const { return ksr_latest(stream_); }
  ksr_stream* stream() const { return stream_; }
  void close();

 private:
  static void on_update(ksr_stream* stream, const ksr_snapshot* snapshot, void* self);
  static void on_error(ksr_stream* stream, const ksr_error* error, void* self);
  void wait_until(const std::function<bool()>& reached);

  Update update_;
  ksr_stream* stream_ = nullptr;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t version_ = 0;
  std::uint64_t wanted_ = 0;
  double first_update_at_ = 0;
  std::atomic<std::uint64_t> deliveries_{0};
  std::atomic<std::uint64_t> errors_{0};
};

std::uint64_t version_of(const ksr_object* object);
// What a host does with each change: reads it. The newest resourceVersion among them; 0: there is none.
std::uint64_t read_changes(const ksr_snapshot* snapshot);

// The sum of all resourceVersions, which the server has too: it proves that no event was missed.
std::uint64_t version_sum(const ksr_snapshot* snapshot);

ksr_stream* open_stream(const Settings& settings, ksr_update_fn on_update, ksr_error_fn on_error, void* user_data);

}  // namespace ksr::bench

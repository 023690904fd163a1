// `CallbackQueue` holds what waits for the host, in order and bounded, so that a host that blocks costs no memory
// beyond the cache; used by CallbackDispatcher, whose mutex guards it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "base/instant.hpp"
#include "delivery/host.hpp"

namespace ksr::delivery {

struct LogLine {
  LogLevel level;
  std::string text;
};
struct UpdateMark {};

using Notification = std::variant<UpdateMark, sync::State, ErrorReport, LogLine>;

// What the bounds of the queue have dropped, by kind; never what a cancel takes away.
struct DroppedCounts {
  std::uint64_t states = 0;
  std::uint64_t errors = 0;
  std::uint64_t log_lines = 0;
};

// Not thread-safe: guarded by the dispatcher's mutex.
class CallbackQueue {
 public:
  static constexpr std::size_t kMaxStates = 16;
  static constexpr std::size_t kMaxErrors = 64;
  static constexpr std::size_t kMaxLogLines = 256;

  // False when one waits already.
  bool add_update() noexcept;
  void add_state(sync::State state);
  void add_error(ErrorReport report);
  void add_log(LogLevel level, std::string text);

  bool empty() const noexcept { return size() == 0; }
  std::size_t size() const noexcept { return items_.size() + (update_waits_ ? 1 : 0); }
  bool update_waits() const noexcept { return update_waits_; }
  const DroppedCounts& dropped() const noexcept { return dropped_; }

  // The first item, or while updates are not due the first that is not an update.
  std::optional<Notification> take(bool updates_due);
  void clear() noexcept {
    items_.clear();
    update_waits_ = false;
  }
  // After a cancel: removes everything but log lines.
  void keep_only_log();

 private:
  template <class Kind>
  void drop_oldest_of(std::size_t max_size);
  std::optional<Notification> dropped_lines();

  // Without the update: that one waits must not be lost for lack of memory.
  std::deque<Notification> items_;
  bool update_waits_ = false;
  std::size_t before_update_ = 0;  // items
  DroppedCounts dropped_;
  std::uint64_t unreported_log_lines_ = 0;  // of the dropped ones
};

}  // namespace ksr::delivery

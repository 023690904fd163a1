#include "delivery/callback_queue.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace ksr::delivery {

bool CallbackQueue::add_update() noexcept {
  if (update_waits_) return false;
  update_waits_ = true;
  before_update_ = items_.size();
  return true;
}

void CallbackQueue::add_state(sync::State state) {
  drop_oldest_of<sync::State>(kMaxStates);
  items_.emplace_back(state);
}

void CallbackQueue::add_error(ErrorReport report) {
  drop_oldest_of<ErrorReport>(kMaxErrors);
  items_.emplace_back(std::move(report));
}

void CallbackQueue::add_log(LogLevel level, std::string text) {
  drop_oldest_of<LogLine>(kMaxLogLines);
  items_.emplace_back(LogLine{level, std::move(text)});
}

std::optional<Notification> CallbackQueue::take(bool updates_due) {
  if (update_waits_ && before_update_ == 0 && updates_due) {
    update_waits_ = false;
    return Notification(UpdateMark{});
  }
  if (items_.empty()) return std::nullopt;
  if (std::optional<Notification> line = dropped_lines()) return line;
  Notification item = std::move(items_.front());
  items_.pop_front();
  if (before_update_ > 0) --before_update_;
  return item;
}

// Delivered before the first line that was not dropped.
std::optional<Notification> CallbackQueue::dropped_lines() {
  if (unreported_log_lines_ == 0 || !std::holds_alternative<LogLine>(items_.front())) return std::nullopt;
  const std::uint64_t lines = std::exchange(unreported_log_lines_, 0);
  try {
    std::string text = std::to_string(lines) + " older log lines were dropped while the host was busy";
    return Notification(LogLine{LogLevel::warning, std::move(text)});
  } catch (const std::bad_alloc&) {
    return std::nullopt;
  }
}

void CallbackQueue::keep_only_log() {
  items_.erase(std::remove_if(items_.begin(), items_.end(),
                              [](const Notification& item) { return !std::holds_alternative<LogLine>(item); }),
               items_.end());
  update_waits_ = false;
}

template <class Kind>
void CallbackQueue::drop_oldest_of(std::size_t max_size) {
  const auto is_kind = [](const Notification& item) { return std::holds_alternative<Kind>(item); };
  const auto count = std::count_if(items_.begin(), items_.end(), is_kind);
  if (static_cast<std::size_t>(count) < max_size) return;
  const auto oldest = std::find_if(items_.begin(), items_.end(), is_kind);
  if (oldest - items_.begin() < static_cast<std::ptrdiff_t>(before_update_)) --before_update_;
  items_.erase(oldest);
  if constexpr (std::is_same_v<Kind, LogLine>) {
    ++dropped_.log_lines;
    ++unreported_log_lines_;
  } else if constexpr (std::is_same_v<Kind, ErrorReport>) {
    ++dropped_.errors;
  } else {
    ++dropped_.states;
  }
}

}  // namespace ksr::delivery

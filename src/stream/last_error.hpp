// `LastError` holds what keeps a stream from being LIVE, for ksr_last_error; written by Engine on the network thread,
// read by Stream on any thread. Neither waits: `error_mutex_` is held while a pointer is copied.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/mutex.hpp"
#include "base/secrets.hpp"
#include "delivery/host.hpp"

namespace ksr::stream {

// An error that is not over.
struct CurrentError {
  Error error;
  // Empty: the error is fatal.
  std::optional<Instant> next_try_at;
};
// Immutable; null: nothing is wrong.
using CurrentErrorRef = std::shared_ptr<const CurrentError>;

// Null without memory for it.
inline CurrentErrorRef current_error(const Error& error, std::optional<Milliseconds> next_try, Instant now) noexcept {
  try {
    const auto at = next_try ? std::optional<Instant>(now + *next_try) : std::nullopt;
    return std::make_shared<const CurrentError>(CurrentError{error, at});
  } catch (...) {
    return nullptr;
  }
}

class LastError {
 public:
  // What the errors are shown without, as CallbackDispatcher shows them; null: nothing.
  explicit LastError(std::shared_ptr<const Secrets> secrets = nullptr) : secrets_(std::move(secrets)) {}

  void set(CurrentErrorRef current) noexcept KSR_EXCLUDES(error_mutex_) {
    // The one before is destroyed after the lock.
    const MutexLock lock(error_mutex_);
    current_.swap(current);
  }

  // With the time that is left at `now`; 0 while the next try is under way.
  std::optional<delivery::ErrorReport> get(Instant now) const KSR_EXCLUDES(error_mutex_) {
    const CurrentErrorRef current = copy();
    if (!current) return std::nullopt;
    delivery::ErrorReport report{secrets_ ? secrets_->blanked(current->error) : current->error, std::nullopt};
    if (const auto& at = current->next_try_at) {
      report.next_try = std::max(std::chrono::ceil<Milliseconds>(*at - now), Milliseconds(0));
    }
    return report;
  }

 private:
  CurrentErrorRef copy() const noexcept KSR_EXCLUDES(error_mutex_) {
    const MutexLock lock(error_mutex_);
    return current_;
  }

  const std::shared_ptr<const Secrets> secrets_;
  mutable Mutex error_mutex_;
  CurrentErrorRef current_ KSR_GUARDED_BY(error_mutex_);
};

}  // namespace ksr::stream

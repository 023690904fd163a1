// `RetryPolicy` decides whether a failed try of a request is followed by another, so that nothing is ever carried out
// twice unless the host allows it; `MaybeDone` remembers what that leaves open. Used by request::ApiCall and the
// channels that are opened by one request: channel::HttpCall, channel::WebSocketCall. Pure; lives on the network
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/random.hpp"
#include "json/api_status.hpp"
#include "sync/backoff.hpp"

namespace ksr::sync {

enum class Retries : std::uint8_t {
  safe,
  never,
  all,
  // As safe, once the server has answered; before that a failure is the end.
  answered,
};

// How one try ended, unless it brought the answer.
struct CallFailure {
  Error error;
  // The server has answered, with `error.http_status`.
  bool answered = false;
  // It failed before the request itself: while names were resolved, or credentials obtained; or the server has refused
  // it before it could have an effect.
  bool before_request = false;
  std::optional<json::ApiStatus> status = std::nullopt;
};

struct RetryDecision {
  enum class What : std::uint8_t { give_up, retry, retry_with_new_credentials } what = What::give_up;
  // Before the next try.
  Milliseconds delay{0};
};

// The 404 means that the server has no such resource, not that the object is missing: another name of the resource may
// be served.
bool is_missing_api(const CallFailure& failure);

// Whether a request that changes something may have been carried out when its try ended like this.
bool may_be_done(const CallFailure& failure, bool safe_method);

// Whether a call that may change something was carried out, as far as that is known, over all of its tries. Changed on
// the network thread.
class MaybeDone {
 public:
  explicit MaybeDone(bool safe_method) : safe_method_(safe_method) {}

  // A try is on its way.
  void begin_try() noexcept { now_.store(!safe_method_, std::memory_order_relaxed); }
  void end_try(const CallFailure& failure) noexcept;
  // The try under way, if there is one, ends without an answer. `sent`: something of it may have reached the server.
  void break_off(bool sent) noexcept;
  // The server has taken it.
  void set() noexcept;
  // The call has ended with this error, which tells it.
  void tell(Error& error) const;

  // By the tries that have ended.
  bool before() const noexcept { return before_; }
  // By the try under way too. Any thread.
  bool get() const noexcept { return now_.load(std::memory_order_relaxed); }

 private:
  const bool safe_method_;
  bool before_ = false;
  std::atomic<bool> now_{false};
};

class RetryPolicy {
 public:
  RetryPolicy(Retries retries, bool safe_method);

  // `deadline`: of the whole call. A retry that could not begin before it is none.
  RetryDecision decide(const CallFailure& failure, Instant now, std::optional<Instant> deadline, Random& random);

 private:
  bool repeatable(const CallFailure& failure) const;

  const Retries retries_;
  const bool safe_method_;
  int retried_ = 0;
  bool answered_ = false;
  bool credentials_renewed_ = false;
  Backoff backoff_;
};

}  // namespace ksr::sync

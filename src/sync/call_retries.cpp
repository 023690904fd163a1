#include "sync/call_retries.hpp"

#include <algorithm>

namespace ksr::sync {
namespace {

constexpr int kMaxRetries = 5;
constexpr Milliseconds kFirstDelay{800};
constexpr Milliseconds kMaxDelay{8'000};

// k8s.io/api/policy/v1/types.go, DisruptionBudgetCause: the budget of the pod allows no eviction now. That is an
// answer.
bool names_disruption_budget(const CallFailure& failure) {
  if (!failure.status) return false;
  const auto& causes = failure.status->causes;
  return std::any_of(causes.begin(), causes.end(),
                     [](const json::StatusCause& cause) { return cause.reason == "DisruptionBudget"; });
}

}  // namespace

bool is_missing_api(const CallFailure& failure) {
  if (failure.before_request || !failure.answered || failure.error.http_status != 404) return false;
  return !failure.status || failure.status->object_name.empty();
}

bool may_be_done(const CallFailure& failure, bool safe_method) {
  if (safe_method || failure.before_request) return false;
  if (!failure.answered) return failure.error.maybe_done;
  // 408 comes from a gateway, which cannot know what the server behind it has done.
  return failure.error.http_status >= 500 || failure.error.http_status == 408;
}

void MaybeDone::end_try(const CallFailure& failure) noexcept {
  before_ = before_ || may_be_done(failure, safe_method_);
  now_.store(before_, std::memory_order_relaxed);
}

void MaybeDone::break_off(bool sent) noexcept {
  before_ = before_ || (sent && get());
  now_.store(before_, std::memory_order_relaxed);
}

void MaybeDone::set() noexcept {
  before_ = !safe_method_;
  now_.store(before_, std::memory_order_relaxed);
}

void MaybeDone::tell(Error& error) const {
  // An error of the transport says so itself.
  if (before_ && !error.maybe_done) error.message += " (the request may have been carried out)";
  error.maybe_done = before_;
}

RetryPolicy::RetryPolicy(Retries retries, bool safe_method)
    : retries_(retries), safe_method_(safe_method), backoff_(kFirstDelay, kMaxDelay) {}

bool RetryPolicy::repeatable(const CallFailure& failure) const {
  const bool may_be_done_twice = safe_method_ || retries_ == Retries::all || failure.before_request;
  if (failure.answered) {
    const int code = failure.error.http_status;
    if (code == 429) return !names_disruption_budget(failure);
    return may_be_done_twice && code >= 500 && code <= 504;
  }
  if (retries_ == Retries::answered && !answered_) return false;
  // A proxy that wants credentials, or others, wants them again.
  if (failure.error.http_status == 407) return false;
  const Status status = failure.error.status;
  const bool may_pass = status == Status::transport || status == Status::timeout || status == Status::out_of_memory;
  return may_pass && (may_be_done_twice || !failure.error.maybe_done);
}

RetryDecision RetryPolicy::decide(const CallFailure& failure, Instant now, std::optional<Instant> deadline,
                                  Random& random) {
  using What = RetryDecision::What;
  answered_ = answered_ || failure.answered;
  if (retries_ == Retries::never) return {};
  if (failure.answered && failure.error.http_status == 401 && !credentials_renewed_) {
    credentials_renewed_ = true;
    return {What::retry_with_new_credentials, Milliseconds(0)};
  }
  if (retried_ == kMaxRetries || !repeatable(failure)) return {};
  const Milliseconds backoff = backoff_.next(random);
  const Milliseconds asked = failure.error.retry_after.value_or(Milliseconds(0));
  const Milliseconds delay = asked.count() > 0 ? asked : std::min(backoff, kMaxDelay);
  if (deadline && now + delay >= *deadline) return {};
  ++retried_;
  return {What::retry, delay};
}

}  // namespace ksr::sync

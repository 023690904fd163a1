#include "sync/retry_plan.hpp"

#include <algorithm>
#include <utility>

namespace ksr::sync {
namespace {

constexpr Milliseconds kSlowDelay{30'000};
// Transport, encoding, WatchList, version, one page; the names of the resource come on top.
constexpr std::size_t kOtherWays = 5;
// Tokens that live for seconds are followed up at once, each (client-go, transport/token_source.go, takes a new one for
// the request after a 401 whenever that comes), and a server that refuses what it has accepted does not cause a loop.
constexpr Milliseconds kCredentialsInterval{1'000};

}  // namespace

// ---- Candidates ---------------------------------------------------------------------------------------------------

Candidates::Candidates(std::size_t count, std::size_t first)
    : count_(count == 0 ? 1 : count), current_(first % count_), others_(kSlowDelay, count_ - 1) {}

bool Candidates::advance(Instant now) noexcept {
  current_ = (current_ + 1) % count_;
  if (others_.take(now)) return true;
  others_.begin_wait();
  return false;
}

// ---- RetryPlan ----------------------------------------------------------------------------------------------------

RetryPlan::RetryPlan(const Options& options, ServerState& server_state, Random& random)
    : resource_(options.resource),
      wanted_(options.transport),
      encoding_(options.encoding),
      server_state_(server_state),
      random_(random),
      candidates_(options.candidates, server_state.working_candidate(options.resource)),
      backoff_(options.backoff_initial, options.backoff_max),
      immediate_retry_(options.backoff_max),
      credentials_retry_(kCredentialsInterval),
      other_ways_(options.backoff_max, kOtherWays + candidates_.count()) {}

std::string RetryPlan::state_key() const {
  return resource_ + '#' + std::to_string(candidates_.current());
}

bool RetryPlan::watchlist_refused() const {
  return server_state_.watchlist_refused(state_key());
}

void RetryPlan::note_watchlist_refused() {
  server_state_.note_watchlist_refused(state_key());
}

bool RetryPlan::protobuf() const {
  if (encoding_ != Encoding::automatic) return encoding_ == Encoding::protobuf;
  return !server_state_.json_only(state_key());
}

bool RetryPlan::fall_back_to_json() {
  if (encoding_ != Encoding::automatic) return false;
  server_state_.note_json_only(state_key());
  return true;
}

TransportChoice* RetryPlan::transport() noexcept {
  return wanted_ == WatchTransport::automatic ? &server_state_.transport() : nullptr;
}

bool RetryPlan::websocket(Instant now) const noexcept {
  if (wanted_ != WatchTransport::automatic) return wanted_ == WatchTransport::websocket;
  const TransportChoice& choice = server_state_.transport();
  // The other streams of the server may use one transport just when this one asks, each time.
  if (fruitless_over_websocket_ && choice.both_avoided(now)) return !*fruitless_over_websocket_;
  return choice.websocket(now);
}

void RetryPlan::note_fruitless(bool websocket, Instant opened, Instant now) {
  fruitless_over_websocket_ = websocket;
  if (TransportChoice* const choice = transport()) choice->note_fruitless(websocket, opened, now);
}

void RetryPlan::note_message(bool websocket) noexcept {
  fruitless_over_websocket_.reset();
  if (TransportChoice* const choice = transport()) choice->note_message(websocket);
}

void RetryPlan::note_watch_refused(const RequestContext& context, const Error& error,
                                   const std::optional<json::ApiStatus>& status, Instant now) {
  fruitless_over_websocket_.reset();
  TransportChoice* const choice = transport();
  if (choice == nullptr) return;
  const bool silent = error.status == Status::timeout;
  if (is_unreachable(error)) {
    choice->note_unanswered(context.websocket, silent, now);
  } else if (!context.websocket) {
    choice->note_refused_over_http(error.http_status);
  } else if (recovery_for(context, error, status) == RecoveryAction::without_websocket) {
    choice->note_refused(error.http_status, now);
  } else if (!status && (is_overload(error.http_status) || error.http_status == 410)) {
    choice->note_overloaded(now);
  }
}

Milliseconds RetryPlan::slow_delay() {
  return with_jitter(kSlowDelay, random_);
}

Milliseconds RetryPlan::begin_wait(const Error* error, Milliseconds delay, Instant now) {
  if (error != nullptr) {
    note_failure(*error, now);
    delay = std::max(delay, error->retry_after.value_or(delay));
  }
  wait_ = Wait::delay;
  other_ways_.begin_wait();
  next_try_at_ = now + delay;
  return delay;
}

bool RetryPlan::is_due(Instant now) {
  if (wait_ == Wait::none || now < next_try_at_) return false;
  if (wait_ == Wait::budget) return true;
  wait_ = Wait::budget;
  next_try_at_ = server_state_.limiter().reserve_retry(now);
  return next_try_at_ <= now;
}

std::optional<Instant> RetryPlan::next_try_at() const noexcept {
  return wait_ == Wait::none ? std::nullopt : std::optional(next_try_at_);
}

void RetryPlan::note_answer(Instant now) {
  credentials_retry_.renew();
  unreachable_ = false;
  server_state_.limiter().note_answer(now);
}

void RetryPlan::note_listed(Instant now) {
  server_state_.note_working_candidate(resource_, candidates_.current());
  note_answer(now);
}

void RetryPlan::note_watch_open(bool websocket, Instant now) {
  if (TransportChoice* const choice = transport()) choice->note_open(websocket);
  note_answer(now);
}

void RetryPlan::note_failure(const Error& error, Instant now) {
  unreachable_ = is_unreachable(error);
  if (unreachable_) {
    server_state_.limiter().note_unreachable(now);
  } else if (error.http_status != 0) {
    server_state_.limiter().note_answer(now);
  }
}

void RetryPlan::note_healthy() noexcept {
  backoff_.reset();
  immediate_retry_.renew();
  progress_before_expiry_ = true;
  candidates_.note_found();
  other_ways_.renew();
  brought_forward_ = false;
}

bool RetryPlan::waits_for_server() const noexcept {
  return wait_ == Wait::delay && unreachable_ && !brought_forward_;
}

void RetryPlan::bring_forward(Instant at) noexcept {
  brought_forward_ = true;
  next_try_at_ = std::min(next_try_at_, at);
}

void RetryPlan::note_clock_jump() noexcept {
  unreachable_ = true;
  brought_forward_ = false;
  backoff_.reset();
}

}  // namespace ksr::sync

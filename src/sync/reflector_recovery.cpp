// What the reflector does after a failure.
#include <algorithm>

#include "sync/reflector_impl.hpp"

namespace ksr::sync {
namespace {

constexpr Milliseconds kSlowly{30'000};
// A server that asks for more has its way only so far.
constexpr Milliseconds kMaxRetryAfter{600'000};

}  // namespace

void Reflector::Impl::recover(const Error& error, RecoveryAction action, Instant now) {
  switch (action) {
    case RecoveryAction::retry:
      return retry(error, aim_, now);
    case RecoveryAction::list_in_one_page:
    case RecoveryAction::retry_by_list:
      return retry(error, Aim::list, now);
    case RecoveryAction::relist:
      // The version that the last list was held to may itself be what is gone.
      most_recent_next_ = listed_at_version_;
      return at_once_or_later(error, Aim::list, now);
    case RecoveryAction::list_most_recent:
      most_recent_next_ = true;
      log(LogLevel::notice, "listing again at the most recent state: " + error.message);
      return pursue(Aim::list, now);
    case RecoveryAction::refresh_credentials:
      return refresh_credentials(error, now);
    case RecoveryAction::next_candidate:
      return next_candidate(error, now);
    case RecoveryAction::retry_slowly:
      return retry_slowly(error, aim_, now);
    case RecoveryAction::without_websocket:
      if (options_.transport != WatchTransport::automatic) return without_a_choice(error, now);
      log(LogLevel::notice, "watching over HTTP, since WebSocket was refused: " + error.message);
      return pursue(aim_, now);
    case RecoveryAction::without_watchlist:
      server_state_->note_watchlist_refused(state_key());
      log(LogLevel::notice, "listing, since WatchList is not possible here: " + error.message);
      return pursue(Aim::list, now);
    case RecoveryAction::list_this_time:
      plain_list_next_ = true;
      log(LogLevel::notice, "listing, since WatchList failed: " + error.message);
      return pursue(Aim::list, now);
    case RecoveryAction::give_up:
      return give_up(error);
  }
}

// Only WebSocket will do, and it was refused.
void Reflector::Impl::without_a_choice(const Error& error, Instant now) {
  // A page in place of a handshake comes from something in between, which may go away again.
  const bool somebody_else = error.http_status >= 200 && error.http_status < 300;
  somebody_else ? retry_slowly(error, aim_, now) : give_up(error);
}

void Reflector::Impl::refresh_credentials(const Error& error, Instant now) {
  effects_.refresh_credentials();
  if (credentials_refreshed_) return retry(error, aim_, now);
  credentials_refreshed_ = true;
  pursue(aim_, now);
}

void Reflector::Impl::next_candidate(const Error& error, Instant now) {
  const bool more = candidates_.advance();
  expected_type_.forget();
  most_recent_next_ = true;
  if (!more) return retry_slowly(error, Aim::list, now);
  log(LogLevel::info, "trying the next name of the resource: " + error.message);
  pursue(Aim::list, now);
}

void Reflector::Impl::at_once_or_later(const Error& error, Aim aim, Instant now) {
  if (!immediate_retry_.take(now)) return retry(error, aim, now);
  log(LogLevel::notice, error.message);
  pursue(aim, now);
}

void Reflector::Impl::retry(const Error& error, Aim aim, Instant now) {
  wait(&error, backoff_.next(random_), aim, now);
}

void Reflector::Impl::retry_slowly(const Error& error, Aim aim, Instant now) {
  wait(&error, with_jitter(kSlowly, random_), aim, now);
}

void Reflector::Impl::wait(const Error* error, Milliseconds delay, Aim aim, Instant now) {
  if (error != nullptr && !options_.reconnect) return give_up(*error);
  if (error != nullptr) {
    note_failure(*error, now);
    delay = std::max(delay, std::min(error->retry_after.value_or(delay), kMaxRetryAfter));
  }
  aim_ = aim;
  phase_ = Phase::waiting;
  retry_at_ = now + delay;
  retry_is_due_ = false;
  set_state(State::waiting);
  if (error == nullptr) return;
  ++counters_.errors;
  effects_.on_error(*error, delay);
}

void Reflector::Impl::note_failure(const Error& error, Instant now) {
  unreachable_ = is_unreachable(error);
  if (unreachable_) {
    server_state_->limiter().note_unreachable(now);
  } else if (error.http_status != 0) {
    server_state_->limiter().note_answer(now);
  }
}

// Where only memory was short, what was not applied is sent again from the last resourceVersion; otherwise the view may
// have missed something.
void Reflector::Impl::on_lost(const Error& error, Instant now) {
  if (phase_ == Phase::over) return;
  drop_requests();
  revalidating_ = false;
  armed_.reset();
  retry(error, error.status == Status::out_of_memory ? aim_ : Aim::list, now);
  arm();
}

void Reflector::Impl::give_up(const Error& error) {
  finish();
  ++counters_.errors;
  effects_.on_error(error, std::nullopt);
}

}  // namespace ksr::sync

// How a watch of the reflector ends.
#include <utility>

#include "sync/reflector_impl.hpp"

namespace ksr::sync {

// What was sent cannot be applied, so the view may have missed a change.
void Reflector::Impl::mark_inconsistent(const Error& error, Instant now) {
  plain_list_next_ = plain_list_next_ || watch_->initial;
  fail_watch(Line::running, error, RecoveryAction::retry_by_list, now);
  arm();
}

void Reflector::Impl::on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now) {
  if (!is_open_watch(id)) return;
  fail_watch(Line::running, error_of(status), recovery_for_event(watch_->asked(), status), now);
  arm();
}

// An object that is too large leaves the view with its older state, which is known; anything else is a change unknown.
void Reflector::Impl::on_watch_bad_event(RequestId id, const Error& error, Instant now) {
  if (!is_open_watch(id)) return;
  watch_->last_received = now;
  if (error.status != Status::too_large || watch_->initial) return mark_inconsistent(error, now);
  ++counters_.errors;
  effects_.on_error(error, Milliseconds(0));
}

void Reflector::Impl::on_watch_end(RequestId id, Instant now) {
  const Error unopened = found_error(Status::protocol, "the watch ended before it was answered");
  if (successor_ && successor_->id == id) {
    fail_successor(unopened, now);
  } else if (!watch_ || watch_->id != id) {
    return;
  } else if (!watch_->open) {
    fail_watch(Line::ended, unopened, RecoveryAction::retry, now);
  } else if (watch_->initial) {
    const bool had_its_time = now - watch_->opened >= WatchConnection::kInitialSilence;
    fail_watch(Line::ended, found_error(Status::protocol, "the watch ended before all initial events were sent"),
               had_its_time ? RecoveryAction::without_watchlist : RecoveryAction::list_this_time, now);
  } else if (ends_as_if_too_old(now)) {
    fail_watch(Line::ended, found_error(Status::gone, "the watch ended at once and without a word"),
               RecoveryAction::relist, now);
  } else {
    drop_watch(Line::ended, now);
    reopen(now);
  }
  arm();
}

// How core/v1 Events, which have no watch cache, tell that a resourceVersion is too old (kubernetes#137089).
bool Reflector::Impl::ends_as_if_too_old(Instant now) {
  very_short_in_a_row_ = watch_->very_short(now) ? very_short_in_a_row_ + 1 : 0;
  if (very_short_in_a_row_ < (events_kind_ ? 1 : 2)) return false;
  very_short_in_a_row_ = 0;
  return true;
}

void Reflector::Impl::on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                                      Instant now) {
  if (successor_ && successor_->id == id) {
    note_handshake(*successor_, error, status);
    fail_successor(error, now);
  } else if (watch_ && watch_->id == id) {
    note_handshake(*watch_, error, status);
    fail_watch(Line::ended, error, recovery_for(watch_->asked(), error, status), now);
  } else {
    return;
  }
  arm();
}

void Reflector::Impl::note_handshake(const WatchConnection& line, const Error& error,
                                     const std::optional<json::ApiStatus>& status) {
  if (!line.request.websocket || line.open) return;
  const bool from_a_gateway = error.http_status >= 500 && !status;
  if (recovery_for(line.asked(), error, status) == RecoveryAction::without_websocket) {
    transport_.note_refused();
  } else if (from_a_gateway || is_unreachable(error)) {
    transport_.note_unanswered();
  }
}

void Reflector::Impl::drop_watch(Line line, Instant now) {
  if (watch_->healthy(now)) note_health();
  if (line == Line::running) effects_.stop(watch_->id);
  watch_.reset();
  revalidating_ = false;
  slot_->release();
  abandon_staging();
}

void Reflector::Impl::drop_successor() {
  if (!successor_) return;
  if (successor_->id != 0) effects_.stop(successor_->id);
  successor_.reset();
  successor_slot_->release();
}

// The watch is gone while its successor is on its way: nothing else need be asked.
bool Reflector::Impl::promote_successor(Instant now) {
  if (!successor_) return false;
  slot_.swap(successor_slot_);
  if (successor_->id == 0) {
    successor_.reset();
    pursue(Aim::watch, now);
    return true;
  }
  watch_ = std::exchange(successor_, std::nullopt);
  aim_ = Aim::watch;
  phase_ = Phase::watching;
  set_state(State::connecting);
  return true;
}

// At once after an end in good order, but never twice in a row.
void Reflector::Impl::reopen(Instant now) {
  if (promote_successor(now)) return;
  if (immediate_retry_.take(now)) return pursue(Aim::watch, now);
  wait(nullptr, backoff_.next(random_), Aim::watch, now);
}

void Reflector::Impl::fail_watch(Line line, const Error& error, RecoveryAction action, Instant now) {
  drop_watch(line, now);
  if (action == RecoveryAction::retry && promote_successor(now)) return;
  drop_successor();
  recover(error, action, now);
}

// The old watch goes on, unless it is in doubt itself. What can be put right at once is, while there is time.
void Reflector::Impl::fail_successor(const Error& error, Instant now) {
  log(LogLevel::notice, "the next watch could not be opened yet: " + error.message);
  const bool over_http_instead = successor_->request.websocket && !transport_.websocket(*server_state_);
  const bool with_new_credentials = error.http_status == 401 && !credentials_refreshed_;
  successor_.reset();
  successor_slot_->release();
  if (with_new_credentials) {
    credentials_refreshed_ = true;
    effects_.refresh_credentials();
  }
  if (over_http_instead || with_new_credentials) {
    watch_->rotated = false;
    rotate(now);
  } else if (revalidating_) {
    fail_watch(Line::running, error, RecoveryAction::retry, now);
  }
}

}  // namespace ksr::sync

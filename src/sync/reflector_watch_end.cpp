// How a watch of the reflector ends.
#include <utility>

#include "sync/reflector_impl.hpp"

namespace ksr::sync {

// What was sent cannot be applied, so the view may have missed a change.
void Reflector::Impl::distrust(const Error& error, Instant now) {
  plain_list_next_ = plain_list_next_ || line_->initial;
  fail_watch(Line::running, error, Remedy::retry_by_list, now);
  arm();
}

void Reflector::Impl::on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now) {
  if (!is_open_line(id)) return;
  fail_watch(Line::running, error_of(status), remedy_for_event(line_->asked(), status), now);
  arm();
}

// An object that is too large leaves the view with its older state, which is known; anything else is a change unknown.
void Reflector::Impl::on_watch_bad_event(RequestId id, const Error& error, Instant now) {
  if (!is_open_line(id)) return;
  line_->last_heard = now;
  if (error.status != Status::too_large || line_->initial) return distrust(error, now);
  ++counters_.errors;
  effects_.on_error(error, Milliseconds(0));
}

void Reflector::Impl::on_watch_end(RequestId id, Instant now) {
  const Error unopened = found_error(Status::protocol, "the watch ended before it was answered");
  if (successor_ && successor_->id == id) {
    fail_successor(unopened, now);
  } else if (!line_ || line_->id != id) {
    return;
  } else if (!line_->open) {
    fail_watch(Line::ended, unopened, Remedy::retry, now);
  } else if (line_->initial) {
    const bool had_its_time = now - line_->opened >= WatchLine::kInitialSilence;
    fail_watch(Line::ended, found_error(Status::protocol, "the watch ended before all initial events were sent"),
               had_its_time ? Remedy::without_watchlist : Remedy::list_this_time, now);
  } else if (ends_as_if_too_old(now)) {
    fail_watch(Line::ended, found_error(Status::gone, "the watch ended at once and without a word"), Remedy::relist,
               now);
  } else {
    lose_line(Line::ended, now);
    reopen(now);
  }
  arm();
}

// How core/v1 Events, which have no watch cache, tell that a resourceVersion is too old (kubernetes#137089).
bool Reflector::Impl::ends_as_if_too_old(Instant now) {
  very_short_in_a_row_ = line_->very_short(now) ? very_short_in_a_row_ + 1 : 0;
  if (very_short_in_a_row_ < (events_kind_ ? 1 : 2)) return false;
  very_short_in_a_row_ = 0;
  return true;
}

void Reflector::Impl::on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                                      Instant now) {
  if (successor_ && successor_->id == id) {
    note_handshake(*successor_, error, status);
    fail_successor(error, now);
  } else if (line_ && line_->id == id) {
    note_handshake(*line_, error, status);
    fail_watch(Line::ended, error, remedy_for(line_->asked(), error, status), now);
  } else {
    return;
  }
  arm();
}

void Reflector::Impl::note_handshake(const WatchLine& line, const Error& error,
                                     const std::optional<json::ApiStatus>& status) {
  if (!line.request.websocket || line.open) return;
  const bool from_a_gateway = error.http_status >= 500 && !status;
  if (remedy_for(line.asked(), error, status) == Remedy::without_websocket) {
    transport_.note_refused();
  } else if (from_a_gateway || is_unreachable(error)) {
    transport_.note_unanswered();
  }
}

void Reflector::Impl::lose_line(Line line, Instant now) {
  if (line_->healthy(now)) note_health();
  if (line == Line::running) effects_.stop(line_->id);
  line_.reset();
  in_doubt_ = false;
  ticket_->give_back();
  abandon_staging();
}

void Reflector::Impl::lose_successor() {
  if (!successor_) return;
  if (successor_->id != 0) effects_.stop(successor_->id);
  successor_.reset();
  successor_ticket_->give_back();
}

// The watch is gone while its successor is on its way: nothing else need be asked.
bool Reflector::Impl::promote_successor(Instant now) {
  if (!successor_) return false;
  ticket_.swap(successor_ticket_);
  if (successor_->id == 0) {
    successor_.reset();
    pursue(Aim::watch, now);
    return true;
  }
  line_ = std::exchange(successor_, std::nullopt);
  aim_ = Aim::watch;
  phase_ = Phase::watching;
  set_state(State::connecting);
  return true;
}

// At once after an end in good order, but never twice in a row.
void Reflector::Impl::reopen(Instant now) {
  if (promote_successor(now)) return;
  if (pass_.take(now)) return pursue(Aim::watch, now);
  wait(nullptr, backoff_.next(random_), Aim::watch, now);
}

void Reflector::Impl::fail_watch(Line line, const Error& error, Remedy remedy, Instant now) {
  lose_line(line, now);
  if (remedy == Remedy::retry && promote_successor(now)) return;
  lose_successor();
  recover(error, remedy, now);
}

// The old watch goes on, unless it is in doubt itself. What can be put right at once is, while there is time.
void Reflector::Impl::fail_successor(const Error& error, Instant now) {
  log(LogLevel::notice, "the next watch could not be opened yet: " + error.message);
  const bool over_http_instead = successor_->request.websocket && !transport_.websocket(*memory_);
  const bool with_new_credentials = error.http_status == 401 && !credentials_refreshed_;
  successor_.reset();
  successor_ticket_->give_back();
  if (with_new_credentials) {
    credentials_refreshed_ = true;
    effects_.refresh_credentials();
  }
  if (over_http_instead || with_new_credentials) {
    line_->rotated = false;
    rotate(now);
  } else if (in_doubt_) {
    fail_watch(Line::running, error, Remedy::retry, now);
  }
}

}  // namespace ksr::sync

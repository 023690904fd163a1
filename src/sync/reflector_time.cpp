// What the reflector does when time passes.
#include <algorithm>
#include <string>

#include "sync/reflector_impl.hpp"

namespace ksr::sync {
namespace {

void bring_forward(std::optional<Instant>& moment, std::optional<Instant> other) {
  if (other && (!moment || *other < *moment)) moment = other;
}

}  // namespace

std::optional<Instant> Reflector::Impl::next_try_at() const noexcept {
  return phase_ == Phase::waiting ? retry_at_ : std::nullopt;
}

std::optional<Instant> Reflector::Impl::next_moment() const {
  std::optional<Instant> moment;
  const bool may_start = (phase_ == Phase::queued && ticket_->granted()) ||
                         (successor_ && successor_->id == 0 && successor_ticket_->granted());
  if (may_start) bring_forward(moment, granted_at_);
  if (phase_ == Phase::waiting) bring_forward(moment, retry_at_);
  if (line_) {
    bring_forward(moment, line_->deadline());
    if (line_->open && line_->initial) bring_forward(moment, line_->last_heard + WatchLine::kInitialSilence);
    if (line_->open && !line_->initial) {
      if (!line_->rotated) bring_forward(moment, line_->rotate_at);
      if (const auto limit = rhythm_.silence_limit()) bring_forward(moment, line_->last_heard + *limit);
    }
  }
  if (successor_ && successor_->id != 0) bring_forward(moment, successor_->deadline());
  return moment;
}

// A timer that fires too early costs less than setting it anew at each event.
void Reflector::Impl::arm() {
  if (phase_ == Phase::over) return;
  const std::optional<Instant> moment = next_moment();
  if (armed_ && moment && *armed_ <= *moment) return;
  if (!armed_ && !moment) return;
  armed_.reset();
  effects_.set_timer(moment);
  armed_ = moment;
}

// Another reflector is at work, and what goes wrong here is no error of its. look_again() makes up for it.
void Reflector::Impl::arm_within_another() {
  try {
    arm();
  } catch (...) {
    armed_.reset();
  }
}

void Reflector::Impl::on_timer(Instant now) {
  if (phase_ == Phase::over || phase_ == Phase::idle) return;
  armed_.reset();
  use_grants(now);
  try_again(now);
  check_line(now);
  check_successor(now);
  rotate(now);
  arm();
}

void Reflector::Impl::use_grants(Instant now) {
  if (phase_ == Phase::queued && ticket_->granted()) dispatch(now);
  if (successor_ && successor_->id == 0 && successor_ticket_->granted()) start_line(*successor_, now);
}

void Reflector::Impl::try_again(Instant now) {
  if (phase_ != Phase::waiting || now < *retry_at_) return;
  if (!retry_is_due_) {
    const Instant allowed = memory_->governor().reserve_retry(now);
    retry_is_due_ = true;
    retry_at_ = allowed;
    if (allowed > now) return;
  }
  pursue(aim_, now);
}

void Reflector::Impl::check_line(Instant now) {
  if (!line_) return;
  if (!line_->open) {
    if (now >= line_->deadline()) fall_silent("the watch request was not answered", now);
    return;
  }
  if (line_->initial) return check_initial(now);
  if (now >= line_->deadline()) {
    lose_line(Line::running, now);
    return reopen(now);
  }
  const auto limit = rhythm_.silence_limit();
  if (!limit || now < line_->last_heard + *limit) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - line_->last_heard).count();
  fall_silent("the watch was silent for " + std::to_string(seconds) + " s", now);
}

void Reflector::Impl::check_initial(Instant now) {
  const bool silent = now >= line_->last_heard + WatchLine::kInitialSilence;
  if (!silent && now < line_->deadline()) return;
  const Error error = found_error(Status::timeout, "the server does not send all initial events");
  fail_watch(Line::running, error, silent ? Remedy::without_watchlist : Remedy::list_this_time, now);
}

void Reflector::Impl::fall_silent(const std::string& message, Instant now) {
  const Error error = found_error(Status::timeout, message);
  lose_line(Line::running, now);
  if (promote_successor(now)) return;
  if (!options_.reconnect) return give_up(error);
  at_once_or_later(error, aim_, now);
}

void Reflector::Impl::check_successor(Instant now) {
  if (!successor_ || successor_->id == 0 || now < successor_->deadline()) return;
  effects_.stop(successor_->id);
  const Error error = found_error(Status::timeout, "the watch request was not answered");
  fail_successor(error, now);
}

void Reflector::Impl::rotate(Instant now) {
  if (!line_ || !line_->open || line_->initial || line_->rotated || now < line_->rotate_at) return;
  line_->rotated = true;
  successor_ = next_line();
  if (successor_ticket_->ask(now)) start_line(*successor_, now);
}

// ---- after a sleep ------------------------------------------------------------------------------------------------

void Reflector::Impl::on_clock_jump(Instant now) {
  if (phase_ == Phase::over || phase_ == Phase::idle) return;
  const bool probe = memory_->governor().claim_probe(*this, now);
  if (phase_ == Phase::watching && line_->open && !line_->initial) {
    doubt_line(probe, now);
  } else if (phase_ != Phase::queued) {
    doubt_request(probe, now);
  }
  arm();
}

// What is on its way is lost with the connection it was sent on.
void Reflector::Impl::doubt_request(bool probe, Instant now) {
  const bool waited = phase_ == Phase::waiting;
  drop_requests();
  unreachable_ = true;
  welcomed_back_ = false;
  backoff_.reset();
  if (probe) return pursue(aim_, now);
  if (!waited) wait(nullptr, backoff_.next(random_), aim_, now);
}

// The connection may have died unheard: another watch is opened beside it.
void Reflector::Impl::doubt_line(bool probe, Instant now) {
  in_doubt_ = true;
  line_->backlog_until = now + WatchLine::kCatchingUp;
  set_state(State::connecting);
  lose_successor();
  line_->rotated = false;
  line_->rotate_at = probe ? now : std::min(line_->rotate_at, now + with_jitter(WatchLine::kRotationLead, random_));
  rotate(now);
}

}  // namespace ksr::sync

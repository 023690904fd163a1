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
  const bool may_start = (phase_ == Phase::queued && slot_->granted()) ||
                         (successor_ && successor_->id == 0 && successor_slot_->granted());
  if (may_start) bring_forward(moment, granted_at_);
  if (phase_ == Phase::waiting) bring_forward(moment, retry_at_);
  if (watch_) {
    bring_forward(moment, watch_->deadline());
    if (watch_->open && watch_->initial)
      bring_forward(moment, watch_->last_received + WatchConnection::kInitialSilence);
    if (watch_->open && !watch_->initial) {
      if (!watch_->rotated) bring_forward(moment, watch_->rotate_at);
      if (const auto limit = heartbeat_.silence_limit()) bring_forward(moment, watch_->last_received + *limit);
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
  check_watch(now);
  check_successor(now);
  rotate(now);
  arm();
}

void Reflector::Impl::use_grants(Instant now) {
  if (phase_ == Phase::queued && slot_->granted()) dispatch(now);
  if (successor_ && successor_->id == 0 && successor_slot_->granted()) begin_watch_request(*successor_, now);
}

void Reflector::Impl::try_again(Instant now) {
  if (phase_ != Phase::waiting || now < *retry_at_) return;
  if (!retry_is_due_) {
    const Instant allowed = server_state_->limiter().reserve_retry(now);
    retry_is_due_ = true;
    retry_at_ = allowed;
    if (allowed > now) return;
  }
  pursue(aim_, now);
}

void Reflector::Impl::check_watch(Instant now) {
  if (!watch_) return;
  if (!watch_->open) {
    if (now >= watch_->deadline()) on_idle_timeout("the watch request was not answered", now);
    return;
  }
  if (watch_->initial) return check_initial(now);
  if (now >= watch_->deadline()) {
    drop_watch(Line::running, now);
    return reopen(now);
  }
  const auto limit = heartbeat_.silence_limit();
  if (!limit || now < watch_->last_received + *limit) return;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - watch_->last_received).count();
  on_idle_timeout("the watch was silent for " + std::to_string(seconds) + " s", now);
}

void Reflector::Impl::check_initial(Instant now) {
  const bool silent = now >= watch_->last_received + WatchConnection::kInitialSilence;
  if (!silent && now < watch_->deadline()) return;
  const Error error = found_error(Status::timeout, "the server does not send all initial events");
  fail_watch(Line::running, error, silent ? RecoveryAction::without_watchlist : RecoveryAction::list_this_time, now);
}

void Reflector::Impl::on_idle_timeout(const std::string& message, Instant now) {
  const Error error = found_error(Status::timeout, message);
  drop_watch(Line::running, now);
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
  if (!watch_ || !watch_->open || watch_->initial || watch_->rotated || now < watch_->rotate_at) return;
  watch_->rotated = true;
  successor_ = next_watch();
  if (successor_slot_->ask(now)) begin_watch_request(*successor_, now);
}

// ---- after a sleep ------------------------------------------------------------------------------------------------

void Reflector::Impl::on_clock_jump(Instant now) {
  if (phase_ == Phase::over || phase_ == Phase::idle) return;
  const bool probe = server_state_->limiter().claim_probe(*this, now);
  if (phase_ == Phase::watching && watch_->open && !watch_->initial) {
    revalidate_watch(probe, now);
  } else if (phase_ != Phase::queued) {
    revalidate_request(probe, now);
  }
  arm();
}

// What is on its way is lost with the connection it was sent on.
void Reflector::Impl::revalidate_request(bool probe, Instant now) {
  const bool waited = phase_ == Phase::waiting;
  drop_requests();
  unreachable_ = true;
  server_recovered_ = false;
  backoff_.reset();
  if (probe) return pursue(aim_, now);
  if (!waited) wait(nullptr, backoff_.next(random_), aim_, now);
}

// The connection may have died unheard: another watch is opened beside it.
void Reflector::Impl::revalidate_watch(bool probe, Instant now) {
  revalidating_ = true;
  watch_->backlog_until = now + WatchConnection::kCatchingUp;
  set_state(State::connecting);
  drop_successor();
  watch_->rotated = false;
  watch_->rotate_at =
      probe ? now : std::min(watch_->rotate_at, now + with_jitter(WatchConnection::kRotationLead, random_));
  rotate(now);
}

}  // namespace ksr::sync

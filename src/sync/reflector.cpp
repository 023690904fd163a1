#include "sync/reflector.hpp"

#include <algorithm>
#include <utility>

#include "sync/reflector_impl.hpp"

namespace ksr::sync {

Reflector::Impl::Impl(const Options& options, Effects& effects, std::shared_ptr<ServerState> memory, Random& random,
                      Logger& logger)
    : options_(options),
      effects_(effects),
      server_state_(std::move(memory)),
      random_(random),
      logger_(logger),
      candidates_(options.candidates, server_state_->working_candidate(options.resource)),
      transport_(options.transport),
      backoff_(options.backoff_initial, options.backoff_max),
      immediate_retry_(options.backoff_max),
      slot_(std::make_unique<RequestLimiter::Slot>(server_state_->limiter(), *this)),
      successor_slot_(std::make_unique<RequestLimiter::Slot>(server_state_->limiter(), *this)) {
  server_state_->limiter().join(*this);
}

Reflector::Impl::~Impl() {
  phase_ = Phase::over;
  server_state_->limiter().leave(*this);
}

void Reflector::Impl::start(Instant now) {
  if (phase_ != Phase::idle) return;
  effects_.on_state(state_);
  pursue(Aim::list, now);
  arm();
}

void Reflector::Impl::cancel() {
  if (phase_ == Phase::over) return;
  finish();
}

void Reflector::Impl::finish() {
  drop_requests();
  phase_ = Phase::over;
  retry_at_.reset();
  armed_.reset();
  effects_.set_timer(std::nullopt);
  server_state_->limiter().leave(*this);
}

void Reflector::Impl::drop_requests() {
  if (list_id_ != 0) effects_.stop(std::exchange(list_id_, 0));
  if (watch_ && watch_->id != 0) effects_.stop(watch_->id);
  if (successor_ && successor_->id != 0) effects_.stop(successor_->id);
  watch_.reset();
  successor_.reset();
  slot_->release();
  successor_slot_->release();
  abandon_staging();
}

void Reflector::Impl::pursue(Aim aim, Instant now) {
  aim_ = aim;
  phase_ = Phase::queued;
  retry_at_.reset();
  retry_is_due_ = false;
  if (slot_->ask(now)) return dispatch(now);
  set_state(State::connecting);
}

void Reflector::Impl::dispatch(Instant now) {
  if (aim_ == Aim::watch) return open_watch(now, false);
  if (wants_watchlist()) return open_watch(now, true);
  open_list(now);
}

void Reflector::Impl::set_state(State state) {
  if (state_ == state) return;
  state_ = state;
  effects_.on_state(state);
}

void Reflector::Impl::prove_fresh(Instant as_of) {
  if (!synced_) return;
  if (fresh_at_ && *fresh_at_ >= as_of) return;
  fresh_at_ = as_of;
  effects_.on_fresh();
}

// Progress, or two minutes of an open watch. Nothing less resets the backoff, or a server that opens every watch only
// to break it would be asked every second.
void Reflector::Impl::note_health() {
  backoff_.reset();
  immediate_retry_.renew();
  very_short_in_a_row_ = 0;
  listed_at_version_ = false;
  server_recovered_ = false;
}

void Reflector::Impl::log(LogLevel level, const std::string& line) {
  if (logger_.wants(level)) logger_.log(level, line);
}

void Reflector::Impl::on_slot_granted(Instant now) {
  granted_at_ = now;
  arm_within_another();
}

void Reflector::Impl::on_server_back(Instant now, Milliseconds spread) {
  const bool waits = phase_ == Phase::waiting && unreachable_ && !retry_is_due_ && !server_recovered_;
  if (!waits && !revalidating_) return;
  const auto within = std::chrono::duration_cast<Milliseconds>(spread * random_.unit());
  if (waits) {
    server_recovered_ = true;
    retry_at_ = std::min(*retry_at_, now + within);
  } else if (watch_) {
    watch_->rotate_at = std::min(watch_->rotate_at, now + within);
  }
  arm_within_another();
}

// ---- the door -----------------------------------------------------------------------------------------------------

Reflector::Reflector(const Options& options, Effects& effects, std::shared_ptr<ServerState> memory, Random& random,
                     Logger& logger)
    : impl_(std::make_unique<Impl>(options, effects, std::move(memory), random, logger)) {}

Reflector::~Reflector() = default;

void Reflector::start(Instant now) {
  impl_->start(now);
}
void Reflector::cancel() {
  impl_->cancel();
}
void Reflector::on_list_item(RequestId id, const json::Item& item) {
  impl_->on_list_item(id, item);
}
void Reflector::on_list_end(RequestId id, const json::ListMeta& meta, Instant now) {
  impl_->on_list_end(id, meta, now);
}
void Reflector::on_list_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                               Instant now) {
  impl_->on_list_failed(id, error, status, now);
}
void Reflector::on_watch_open(RequestId id, Instant now) {
  impl_->on_watch_open(id, now);
}
void Reflector::on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now) {
  impl_->on_watch_event(id, type, item, now);
}
void Reflector::on_watch_bookmark(RequestId id, std::string_view resource_version, bool initial_events_end,
                                  Instant now) {
  impl_->on_watch_bookmark(id, resource_version, initial_events_end, now);
}
void Reflector::on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now) {
  impl_->on_watch_error_event(id, status, now);
}
void Reflector::on_watch_bad_event(RequestId id, const Error& error, Instant now) {
  impl_->on_watch_bad_event(id, error, now);
}
void Reflector::on_watch_end(RequestId id, Instant now) {
  impl_->on_watch_end(id, now);
}
void Reflector::on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                                Instant now) {
  impl_->on_watch_failed(id, error, status, now);
}
void Reflector::on_timer(Instant now) {
  impl_->on_timer(now);
}
void Reflector::on_clock_jump(Instant now) {
  impl_->on_clock_jump(now);
}
void Reflector::look_again() {
  impl_->arm();
}
void Reflector::on_lost(const Error& error, Instant now) {
  impl_->on_lost(error, now);
}
State Reflector::state() const noexcept {
  return impl_->state();
}
const Counters& Reflector::counters() const noexcept {
  return impl_->counters();
}
std::optional<Instant> Reflector::fresh_at() const noexcept {
  return impl_->fresh_at();
}
std::optional<Instant> Reflector::next_try_at() const noexcept {
  return impl_->next_try_at();
}

}  // namespace ksr::sync

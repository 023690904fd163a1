#include "sync/watch_pair.hpp"

#include <algorithm>
#include <utility>

#include "sync/backoff.hpp"

namespace ksr::sync {
namespace {

using std::chrono::seconds;

// Initial events of a WatchList that have not ended after so long, however many came: the server does not end them.
constexpr Milliseconds kInitialLimit{30'000};
// The transport has its own, shorter limits for a request without an answer; this is the last resort.
constexpr Milliseconds kOpeningLimit{150'000};
// After so long without the head of an HTTP watch it is looked at whether only that is missing.
constexpr Milliseconds kHeadCheck{1'000};
// So long after the request WebSocket is tried beside it, where no head has ever come.
constexpr Milliseconds kHeadLate{30'000};
// The server ends a watch at its timeoutSeconds; one that lives longer than that by so much is half open.
constexpr Milliseconds kOverdue{5'000};
// How long before its end its successor is requested, where the watch lasts long enough.
constexpr Milliseconds kRotationLead{10'000};
// A watch without an event, shorter than this, may be how the server says that its resourceVersion expired.
constexpr Milliseconds kVeryShort{2'000};
// Open for so long, or for all of its timeout, is healthy even without an event.
constexpr Milliseconds kHealthy{120'000};
// What a younger watch sends may be backlog, which does not prove the view current.
constexpr Milliseconds kCatchingUp{10'000};
constexpr seconds kMinWatchTimeout{300};
// kube-apiserver sends one each minute (apiserver pkg/storage/cacher/cacher.go, defaultBookmarkFrequency); others may
// send one at the end of a watch alone.
constexpr Milliseconds kFirstBookmark{600'000};

}  // namespace

// ---- BookmarkHeartbeat --------------------------------------------------------------------------------------------

void BookmarkHeartbeat::note_bookmark(Instant now) {
  if (last_) {
    intervals_[count_ % intervals_.size()] = std::chrono::duration_cast<Milliseconds>(now - *last_);
    ++count_;
  }
  last_ = now;
  seen_ = true;
}

std::optional<Milliseconds> BookmarkHeartbeat::first_limit() const {
  if (const auto limit = silence_limit()) return limit;
  return seen_ ? std::optional(kFirstBookmark) : std::nullopt;
}

std::optional<Milliseconds> BookmarkHeartbeat::silence_limit() const {
  if (count_ == 0) return std::nullopt;
  // The median, since one bookmark more comes shortly before the watch's timeout, and a stall makes one interval long.
  auto sorted = intervals_;
  const std::size_t count = std::min(count_, sorted.size());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  return std::max(kMinSilence, *middle * 5 / 2);
}

// ---- WatchConnection ----------------------------------------------------------------------------------------------

RequestContext WatchConnection::context() const {
  RequestContext context;
  context.what =
      request.send_initial_events && !streaming() ? RequestContext::What::watchlist : RequestContext::What::watch;
  context.websocket = request.websocket;
  context.protobuf = request.protobuf;
  context.http_possible = http_possible;
  context.opened = open();
  context.at_version = context.what == RequestContext::What::watchlist && !request.resource_version.empty();
  return context;
}

bool WatchConnection::healthy(Instant now) const {
  return open() && now - opened >= std::min<Milliseconds>(kHealthy, request.timeout);
}

bool WatchConnection::very_short(Instant now) const {
  const Milliseconds time = request.timeout;
  return !has_progress && now - opened < (request.poll ? time : std::min(kVeryShort, time / 2));
}

bool WatchConnection::caught_up(Instant now) const {
  return now >= backlog_until && (has_bookmark || now - opened >= kCatchingUp);
}

Instant WatchConnection::deadline() const {
  if (stage == Stage::initial_events) return opened + std::min(kInitialLimit, initial_limit);
  if (stage == Stage::awaiting_head) return head_until;
  return open() ? opened + request.timeout + kOverdue : started + kOpeningLimit;
}

bool WatchConnection::had_time_for_initial_events(Instant now) const {
  return now - opened >= std::min<Milliseconds>(kInitialLimit, request.timeout);
}

void WatchConnection::await_head(Milliseconds limit) {
  stage = Stage::awaiting_head;
  head_check_at.reset();
  head_until = started + limit;
  rotate_at = started + kHeadLate;
}

void WatchConnection::set_revalidating(Instant now) {
  stage = Stage::revalidating;
  backlog_until = now + kCatchingUp;
}

// A head that was kept back came long after the server began the watch.
void WatchConnection::set_open(Instant now) {
  const bool late = stage == Stage::awaiting_head || request.poll;
  stage = request.send_initial_events ? Stage::initial_events : Stage::streaming;
  opened = late ? started : now;
  last_received = now;
  head_at = now;
  head_check_at.reset();
  if (late || (!request.websocket && now - started >= kHeadCheck)) backlog_until = now + kCatchingUp;
  const Milliseconds timeout = request.timeout;
  rotate_at = opened + timeout - std::min(kRotationLead, timeout / 4);
  silent_since = now;
  // Without a version there is nothing that a successor could begin at.
  if (stage == Stage::streaming && request.resource_version.empty()) rotate_at.reset();
  // The next one follows its end.
  if (request.poll) return rotate_at.reset();
  may_stall = !request.websocket;
  if (may_stall) stall_check_at = now + kStallCheck;
}

Milliseconds head_limit(const BookmarkHeartbeat& heartbeat, const WatchRequest& request, bool has_bookmarks) {
  if (const auto limit = heartbeat.silence_limit()) return *limit;
  return has_bookmarks ? kOpeningLimit : request.timeout + kOverdue;
}

seconds draw_watch_timeout(const std::optional<Milliseconds>& configured, Random& random) {
  if (configured) return std::max(seconds(1), std::chrono::ceil<seconds>(*configured));
  return kMinWatchTimeout + seconds(static_cast<seconds::rep>(random.unit() * 301));
}

// ---- WatchPair ----------------------------------------------------------------------------------------------------

WatchPair::WatchPair(Effects& effects, RequestLimiter& limiter, RequestLimiter::Member& member)
    : effects_(effects),
      slot_(std::make_unique<RequestLimiter::Slot>(limiter, member)),
      successor_slot_(std::make_unique<RequestLimiter::Slot>(limiter, member)) {}

WatchPair::Role WatchPair::role_of(RequestId id) const noexcept {
  if (id == 0) return Role::none;
  if (successor_ && successor_->id == id) return Role::successor;
  return watch_ && watch_->id == id ? Role::watch : Role::none;
}

bool WatchPair::successor_may_start() const noexcept {
  return successor_ && successor_->stage == WatchConnection::Stage::queued && successor_slot_->granted();
}

WatchConnection& WatchPair::add_watch(WatchRequest request) {
  watch_.emplace();
  watch_->request = std::move(request);
  return *watch_;
}

WatchConnection& WatchPair::add_successor(WatchRequest request) {
  watch_->rotate_at.reset();
  successor_.emplace();
  successor_->request = std::move(request);
  return *successor_;
}

void WatchPair::start(WatchConnection& connection, RequestId id, const std::string& version, Instant now) {
  if (!connection.request.send_initial_events) {
    connection.request.resource_version = version;
    connection.version = version;
  }
  connection.id = id;
  connection.stage = WatchConnection::Stage::opening;
  connection.started = now;
  if (!connection.request.websocket && !connection.request.send_initial_events && !connection.request.poll) {
    connection.head_check_at = now + kHeadCheck;
  }
  effects_.start_watch(id, connection.request);
}

void WatchPair::open(Role role, Instant now) {
  (role == Role::successor ? successor_slot_ : slot_)->release();
  if (role == Role::successor) {
    effects_.stop(watch_->id);
    const WatchConnection replaced = *std::exchange(watch_, std::exchange(successor_, std::nullopt));
    slot_->release();
    watch_->set_open(now);
    const bool both_silent = replaced.open() && !replaced.has_message;
    if (both_silent && replaced.request.websocket == watch_->request.websocket) {
      watch_->silent_since = replaced.silent_since;
    }
  } else {
    watch_->set_open(now);
  }
  heartbeat_.begin_watch();
}

bool WatchPair::promote_successor() {
  slot_.swap(successor_slot_);
  if (successor_->stage == WatchConnection::Stage::queued) {
    successor_.reset();
    return false;
  }
  watch_ = std::exchange(successor_, std::nullopt);
  return true;
}

void WatchPair::drop_watch(Request request) {
  if (request == Request::running) effects_.stop(watch_->id);
  watch_.reset();
  slot_->release();
}

void WatchPair::drop_successor(Request request) {
  if (!successor_) return;
  if (request == Request::running && successor_->id != 0) effects_.stop(successor_->id);
  successor_.reset();
  successor_slot_->release();
}

void WatchPair::drop_all() {
  if (watch_ && watch_->id != 0) effects_.stop(watch_->id);
  if (successor_ && successor_->id != 0) effects_.stop(successor_->id);
  watch_.reset();
  successor_.reset();
  slot_->release();
  successor_slot_->release();
}

bool WatchPair::ends_as_if_expired(Instant now, int limit) {
  very_short_in_a_row_ = watch_->very_short(now) ? very_short_in_a_row_ + 1 : 0;
  if (very_short_in_a_row_ < limit) return false;
  very_short_in_a_row_ = 0;
  return true;
}

bool WatchPair::rotation_is_due(Instant now) const noexcept {
  if (!watch_ || !watch_->rotate_at) return false;
  const bool silent = watch_->has_message && !heartbeat_.silence_limit() &&
                      now >= watch_->last_received + BookmarkHeartbeat::kUsualSilence;
  if (!silent && now < *watch_->rotate_at) return false;
  return watch_->streaming() || watch_->stage == WatchConnection::Stage::awaiting_head;
}

void WatchPair::bring_rotation_forward(bool at_once, Random& random, Instant now) {
  if (at_once) {
    watch_->rotate_at = now;
  } else {
    const Instant soon = now + with_jitter(kRotationLead, random);
    watch_->rotate_at = std::min(watch_->rotate_at.value_or(now), soon);
  }
}

std::optional<Instant> WatchPair::next_deadline() const {
  std::optional<Instant> next;
  const auto consider = [&next](Instant at) { next = next ? std::min(*next, at) : at; };
  if (watch_) {
    consider(watch_->deadline());
    if (watch_->stage == WatchConnection::Stage::opening && watch_->head_check_at) consider(*watch_->head_check_at);
    if (watch_->stage == WatchConnection::Stage::awaiting_head && watch_->rotate_at) consider(*watch_->rotate_at);
    if (watch_->open() && watch_->stall_check_at) consider(*watch_->stall_check_at);
    if (watch_->open() && watch_->settled_at) consider(*watch_->settled_at);
    if (watch_->streaming()) {
      if (watch_->rotate_at) consider(*watch_->rotate_at);
      if (watch_->mute_at) consider(*watch_->mute_at);
      if (watch_->probe_at) consider(*watch_->probe_at);
      if (const auto limit = heartbeat_.silence_limit()) {
        consider(watch_->last_received + *limit);
      } else if (watch_->rotate_at && watch_->has_message) {
        consider(watch_->last_received + BookmarkHeartbeat::kUsualSilence);
      }
    }
  }
  if (successor_ && successor_->stage == WatchConnection::Stage::opening) consider(successor_->deadline());
  return next;
}

}  // namespace ksr::sync

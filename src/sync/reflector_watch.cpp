// How the reflector watches.
#include <utility>

#include "base/resource_version.hpp"
#include "sync/reflector_impl.hpp"

namespace ksr::sync {
namespace {

std::string shown(std::string_view text) {
  return std::string(text.substr(0, 100));
}

}  // namespace

// ---- opening ------------------------------------------------------------------------------------------------------

WatchConnection Reflector::Impl::next_watch() {
  WatchConnection line;
  line.request.candidate = candidates_.current();
  line.request.websocket = transport_.websocket(*server_state_);
  line.request.timeout = draw_watch_timeout(options_.watch_timeout, random_);
  return line;
}

void Reflector::Impl::begin_watch_request(WatchConnection& line, Instant now) {
  if (!line.initial) {
    line.request.resource_version = version_;
    line.version = version_;
  }
  line.id = ++last_id_;
  line.started = now;
  effects_.start_watch(line.id, line.request);
}

void Reflector::Impl::open_watch(Instant now, bool initial) {
  phase_ = Phase::watching;
  watch_ = next_watch();
  if (initial) {
    watch_->initial = true;
    watch_->request.send_initial_events = true;
    watch_->request.resource_version = list_version();
    watch_->request.resource_version_match = "NotOlderThan";
    if (synced_) ++counters_.relists;
  }
  set_state(State::connecting);
  begin_watch_request(*watch_, now);
}

void Reflector::Impl::on_watch_open(RequestId id, Instant now) {
  const bool succeeds = successor_ && successor_->id == id && id != 0;
  if (!succeeds && (!watch_ || watch_->id != id || watch_->open)) return;
  (succeeds ? successor_slot_ : slot_)->release();
  if (succeeds) take_over(now);
  watch_->set_open(now);
  ++counters_.watches;
  if (counters_.watches > 1) ++counters_.reconnects;
  heartbeat_.begin_watch();
  credentials_refreshed_ = false;
  unreachable_ = false;
  transport_.note_open(watch_->request.websocket, *server_state_);
  server_state_->limiter().note_answer(now);
  if (watch_->initial) {
    begin_staging();
    set_state(State::listing);
  } else {
    revalidating_ = false;
    set_state(State::live);
  }
  arm();
}

// Make before break: what the old watch has not sent yet, the new one sends, since it began at what had been seen.
void Reflector::Impl::take_over(Instant now) {
  if (watch_->healthy(now)) note_health();
  effects_.stop(watch_->id);
  watch_ = std::exchange(successor_, std::nullopt);
}

// ---- listening ----------------------------------------------------------------------------------------------------

void Reflector::Impl::on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now) {
  if (!is_open_watch(id)) return;
  watch_->last_received = now;
  if (const std::optional<Error> stranger = expected_type_.check(item)) {
    mark_inconsistent(stranger->within("the watch"), now);
  } else if (watch_->initial) {
    handle_initial(type, item);
  } else {
    handle_change(type, item, now);
  }
}

// Deletions can come in between when the server's cache lags behind etcd (cacher.go: the initial events are those of
// the cache, the bookmark waits for etcd).
void Reflector::Impl::handle_initial(json::EventType type, const json::Item& item) {
  if (type == json::EventType::deleted) {
    deleted_meanwhile_.emplace_back(item);
  } else {
    effects_.stage(item);
  }
}

void Reflector::Impl::handle_change(json::EventType type, const json::Item& item, Instant now) {
  if (went_back(item.resource_version, "the watch's resourceVersion", now)) return;
  watch_->version = item.resource_version;
  watch_->told = true;
  note_health();
  mark_consistent();
  const std::optional<int> order = compare_resource_versions(item.resource_version, version_);
  // The watch before this one has sent it already.
  const bool seen = order && *order < 0;
  if (!seen) {
    const store::Applied applied = effects_.apply(type, item);
    if (applied != store::Applied::stale && applied != store::Applied::absent) ++counters_.events;
    advance_to(item.resource_version);
  }
  if (watch_->caught_up(now)) prove_fresh(now);
}

bool Reflector::Impl::went_back(std::string_view version, const char* what, Instant now) {
  const std::optional<int> order = compare_resource_versions(version, watch_->version);
  if (!order || *order >= 0) return false;
  mark_inconsistent(
      found_error(Status::protocol, std::string(what) + " went back from " + watch_->version + " to " + shown(version)),
      now);
  return true;
}

void Reflector::Impl::advance_to(std::string_view version) {
  if (version == version_) return;
  version_ = version;
  effects_.set_resource_version(version_);
}

void Reflector::Impl::on_watch_bookmark(RequestId id, std::string_view version, bool initial_events_end, Instant now) {
  if (!is_open_watch(id)) return;
  ++counters_.bookmarks;
  watch_->last_received = now;
  if (version.empty()) {
    mark_inconsistent(found_error(Status::protocol, "the watch sent a bookmark without resourceVersion"), now);
  } else if (watch_->initial && initial_events_end) {
    end_initial(version, now);
  } else if (watch_->initial) {
    // A server that knows sendInitialEvents sends no other bookmark before (cache_watcher.go).
    fail_watch(Line::running, found_error(Status::protocol, "the server does not know sendInitialEvents"),
               RecoveryAction::without_watchlist, now);
  } else if (!went_back(version, "a bookmark's resourceVersion", now)) {
    heartbeat_.note_bookmark(now);
    watch_->version = version;
    watch_->told = true;
    watch_->bookmarked = true;
    note_health();
    mark_consistent();
    const std::optional<int> order = compare_resource_versions(version, version_);
    if (!order || *order > 0) advance_to(version);
    if (watch_->caught_up(now)) prove_fresh(now);
  }
  arm();
}

void Reflector::Impl::end_initial(std::string_view version, Instant now) {
  if (!accept_version(version, !watch_->request.resource_version.empty(), now)) return;
  watch_->initial = false;
  watch_->bookmarked = true;
  watch_->version = version;
  listed_at_version_ = !watch_->request.resource_version.empty();
  commit(version, now, now);
  aim_ = Aim::watch;
  set_state(State::live);
}

void Reflector::Impl::mark_consistent() {
  if (!std::exchange(revalidating_, false)) return;
  set_state(State::live);
}

}  // namespace ksr::sync

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

WatchLine Reflector::Impl::next_line() {
  WatchLine line;
  line.request.candidate = candidates_.current();
  line.request.websocket = transport_.websocket(*memory_);
  line.request.timeout = draw_watch_timeout(options_.watch_timeout, random_);
  return line;
}

void Reflector::Impl::start_line(WatchLine& line, Instant now) {
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
  line_ = next_line();
  if (initial) {
    line_->initial = true;
    line_->request.send_initial_events = true;
    line_->request.resource_version = list_version();
    line_->request.resource_version_match = "NotOlderThan";
    if (synced_) ++counters_.relists;
  }
  set_state(State::connecting);
  start_line(*line_, now);
}

void Reflector::Impl::on_watch_open(RequestId id, Instant now) {
  const bool succeeds = successor_ && successor_->id == id && id != 0;
  if (!succeeds && (!line_ || line_->id != id || line_->open)) return;
  (succeeds ? successor_ticket_ : ticket_)->give_back();
  if (succeeds) take_over(now);
  line_->set_open(now);
  ++counters_.watches;
  if (counters_.watches > 1) ++counters_.reconnects;
  rhythm_.begin_watch();
  credentials_refreshed_ = false;
  unreachable_ = false;
  transport_.note_open(line_->request.websocket, *memory_);
  memory_->governor().note_answer(now);
  if (line_->initial) {
    begin_staging();
    set_state(State::listing);
  } else {
    in_doubt_ = false;
    set_state(State::live);
  }
  arm();
}

// Make before break: what the old watch has not sent yet, the new one sends, since it began at what had been seen.
void Reflector::Impl::take_over(Instant now) {
  if (line_->healthy(now)) note_health();
  effects_.stop(line_->id);
  line_ = std::exchange(successor_, std::nullopt);
}

// ---- listening ----------------------------------------------------------------------------------------------------

void Reflector::Impl::on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now) {
  if (!is_open_line(id)) return;
  line_->last_heard = now;
  if (const std::optional<Error> stranger = identity_.check(item)) {
    distrust(stranger->within("the watch"), now);
  } else if (line_->initial) {
    hear_initial(type, item);
  } else {
    hear_change(type, item, now);
  }
}

// Deletions can come in between when the server's cache lags behind etcd (cacher.go: the initial events are those of
// the cache, the bookmark waits for etcd).
void Reflector::Impl::hear_initial(json::EventType type, const json::Item& item) {
  if (type == json::EventType::deleted) {
    deleted_meanwhile_.emplace_back(item);
  } else {
    effects_.stage(item);
  }
}

void Reflector::Impl::hear_change(json::EventType type, const json::Item& item, Instant now) {
  if (went_back(item.resource_version, "the watch's resourceVersion", now)) return;
  line_->version = item.resource_version;
  line_->told = true;
  note_health();
  trust_again();
  const std::optional<int> order = compare_resource_versions(item.resource_version, version_);
  // The watch before this one has sent it already.
  const bool seen = order && *order < 0;
  if (!seen) {
    const store::Applied applied = effects_.apply(type, item);
    if (applied != store::Applied::stale && applied != store::Applied::absent) ++counters_.events;
    advance_to(item.resource_version);
  }
  if (line_->caught_up(now)) prove_fresh(now);
}

bool Reflector::Impl::went_back(std::string_view version, const char* what, Instant now) {
  const std::optional<int> order = compare_resource_versions(version, line_->version);
  if (!order || *order >= 0) return false;
  distrust(
      found_error(Status::protocol, std::string(what) + " went back from " + line_->version + " to " + shown(version)),
      now);
  return true;
}

void Reflector::Impl::advance_to(std::string_view version) {
  if (version == version_) return;
  version_ = version;
  effects_.set_resource_version(version_);
}

void Reflector::Impl::on_watch_bookmark(RequestId id, std::string_view version, bool initial_events_end, Instant now) {
  if (!is_open_line(id)) return;
  ++counters_.bookmarks;
  line_->last_heard = now;
  if (version.empty()) {
    distrust(found_error(Status::protocol, "the watch sent a bookmark without resourceVersion"), now);
  } else if (line_->initial && initial_events_end) {
    end_initial(version, now);
  } else if (line_->initial) {
    // A server that knows sendInitialEvents sends no other bookmark before (cache_watcher.go).
    fail_watch(Line::running, found_error(Status::protocol, "the server does not know sendInitialEvents"),
               Remedy::without_watchlist, now);
  } else if (!went_back(version, "a bookmark's resourceVersion", now)) {
    rhythm_.note_bookmark(now);
    line_->version = version;
    line_->told = true;
    line_->bookmarked = true;
    note_health();
    trust_again();
    const std::optional<int> order = compare_resource_versions(version, version_);
    if (!order || *order > 0) advance_to(version);
    if (line_->caught_up(now)) prove_fresh(now);
  }
  arm();
}

void Reflector::Impl::end_initial(std::string_view version, Instant now) {
  if (!accept_version(version, !line_->request.resource_version.empty(), now)) return;
  line_->initial = false;
  line_->bookmarked = true;
  line_->version = version;
  listed_at_version_ = !line_->request.resource_version.empty();
  commit(version, now, now);
  aim_ = Aim::watch;
  set_state(State::live);
}

void Reflector::Impl::trust_again() {
  if (!std::exchange(in_doubt_, false)) return;
  set_state(State::live);
}

}  // namespace ksr::sync

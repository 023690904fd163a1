// The states of a stream and their transitions. `opening` to `revalidating` are the stages of the current watch
// (WatchConnection::Stage, in Phase::watching); the others are the phases. "recover" is the RecoveryAction that
// failure.cpp chooses.
//
// state           event                                  next state         action
// --------------  -------------------------------------  -----------------  -------------------------------------------
// idle            start                                  queued             aim: list
// queued          slot granted, aim: list                listing            WatchList unwanted or refused: first page
//                                                        opening            else a WatchList
//                 slot granted, aim: watch               opening            a watch from the view's version
// listing         end of a page that continues           listing            next page
//                 end of the last page                   queued             commit; aim: watch
//                 page inconsistent, or older than view  waiting            abandon the list; backoff
//                 failure                                recover            abandon the list
// listing         longer than initial_timeout            waiting            abandon the list; backoff
//                 larger than max_view_bytes             waiting            abandon the list; slowly
// opening         open                                   initial_events     WatchList: begin to stage
//                                                        streaming          else
//                 over HTTP, sent, no head for 1 s       opening            LIVE as of the list; recorded as held back,
//                                                                           a poll instead
//                                                        awaiting_head      LIVE; where heads are known to come late
//                 end of a poll                          opening            the next poll, at once
//                 end, failure, no answer for 150 s      recover
// awaiting_head   open                                   streaming
//                 no head for 30 s, and none ever        awaiting_head      transport=auto: request a successor
//                 end, failure, no head for 150 s        recover
// initial_events  event                                  initial_events     stage
//                 bookmark that ends them                streaming          commit
//                 any other bookmark, 30 s without end   queued             aim: list; WatchList recorded as refused
//                 end, failure                           queued             aim: list, without WatchList this time
// streaming       event, bookmark                        streaming          apply; the view's version advances
//                 an event in part, nothing for 2 s      opening            recorded as held back, a poll instead
//                 silent for 1 s, nothing came before    streaming          a probe
//                 probes over HTTP come with the end     opening            recorded as held back, a poll instead
//                 a probe has nothing, not even its end  streaming          transport=auto: request the successor
//                 no message for 90 s, and none ever     streaming          transport=auto: request the successor
//                 the same; versions do not compare      queued or waiting  aim: watch; at once, or backoff
//                 object too large                       streaming          on_error
//                 inconsistent event or bookmark         waiting            aim: list; backoff
//                 time to rotate                         streaming          request the successor
//                 successor opens                        streaming          stop the old watch
//                 successor fails                        streaming
//                 end in order, timeout exceeded         opening            promote the successor, if it is requested
//                                                        queued or waiting  else aim: watch; at once, or backoff
//                 end at once without an event           queued or waiting  as 410: aim: list; at once, or backoff
//                 silent for too long                    queued or waiting  aim: watch; at once, or backoff
//                 silent after a failure, for 5 s        streaming          ask for the newest resourceVersion
//                 silent like those before it, too long  streaming          the same
//                 that is older than the view's          queued             aim: list
//                 ERROR event, failure                   recover
//                 clock jump                             revalidating       request the successor
// revalidating    event, bookmark                        streaming          as streaming
//                 successor opens                        streaming          stop the old watch
//                 successor fails                        recover            stop the old watch
// any of a watch  refused with 405                       waiting            aim: list, again and again
// resolving       on_resolved: other names               queued             aim: list; it replaces the view
//                 on_resolved: the same, or none         waiting            slowly
// waiting         timer                                  queued             once the server's retry budget allows
//                 server answers another stream          waiting            bring the next try forward
// 2               on_resolved, for another namespace     queued             stop requests; aim: list
// 1               clock jump                             queued or waiting  stop requests; backoff starts over
// 2               exception                              waiting            stop requests; backoff
// 2               cancel, failure beyond repair          over               stop requests
// any with a      protobuf that is not known             queued             aim as before; the resource recorded as
// JSON
//  request
//
// 1: listing, opening, initial_events, resolving, waiting; 2: all but over.
#include "sync/reflector.hpp"

#include <algorithm>
#include <utility>

#include "base/resource_version.hpp"

namespace ksr::sync {

namespace {

// Initial events whose head does not come for so long are asked for as a list.
constexpr Milliseconds kInitialHeadLimit{3'000};
// How long a poll may take beyond its time.
constexpr Milliseconds kPollOverdue{5'000};
// All polls of a server together are no more than this many a second.
constexpr std::size_t kPollsPerSecond = 10;
// What a watch has to be open for so that a bookmark without news counts as progress.
constexpr Milliseconds kBookmarkLead{10'000};
// A watch that ends so long before its time was cut.
constexpr Milliseconds kCutLead{1'000};
// How often it is looked at whether a request without an answer has been sent.
constexpr Milliseconds kHeadCheckAgain{2'000};
// So long after it opened a WebSocket should have passed on a bookmark, where none has ever passed on anything; and any
// watch, after which the other transport is tried at little cost.
constexpr Milliseconds kMute{90'000};
constexpr Milliseconds kMuteAgain{300'000};
// How long a trial lasts: kube-apiserver sends a bookmark two seconds before the end of a watch (apiserver
// pkg/storage/cacher/cacher.go, nextBookmarkTime).
constexpr std::chrono::seconds kTrial{10};
// What comes by itself within that time shows that events do; else a probe is to.
constexpr Milliseconds kProbeDelay{1'000};
// How long a resource without a watch is listed again and again before its watch is tried once more.
constexpr Milliseconds kPollsFor{3'600'000};

// Sets `flag` while it exists.
class During {
 public:
  explicit During(bool& flag) : flag_(flag) { flag_ = true; }
  ~During() { flag_ = false; }
  During(const During&) = delete;
  During& operator=(const During&) = delete;

 private:
  bool& flag_;
};

bool is_older(std::string_view version, std::string_view than) noexcept {
  return compare_resource_versions(version, than).value_or(0) < 0;
}

}  // namespace

using Stage = WatchConnection::Stage;
using Request = WatchPair::Request;
using Role = WatchPair::Role;

Reflector::Reflector(const Options& options, Effects& effects, std::shared_ptr<ServerState> server_state,
                     Random& random, Logger& logger)
    : options_(options),
      effects_(effects),
      server_state_(std::move(server_state)),
      random_(random),
      logger_(logger),
      list_(effects, options.max_view_bytes, options.shard),
      retry_(options, *server_state_, random),
      watches_(effects, server_state_->limiter(), *this) {
  server_state_->limiter().join(*this);
}

Reflector::~Reflector() {
  phase_ = Phase::over;
  server_state_->limiter().leave(*this);
}

void Reflector::start(Instant now) {
  if (phase_ != Phase::idle) return;
  effects_.on_state(state_);
  pursue(Aim::list, now);
  rearm();
}

void Reflector::cancel() {
  if (phase_ == Phase::over) return;
  finish();
}

void Reflector::finish() {
  drop_requests();
  phase_ = Phase::over;
  retry_.end_wait();
  timer_at_.reset();
  effects_.set_timer(std::nullopt);
  server_state_->limiter().leave(*this);
}

void Reflector::drop_requests() {
  list_.stop_request();
  watches_.drop_all();
  stop_probe();
  list_.abandon();
  if (!list_.resumable()) aim_ = Aim::list;
}

void Reflector::pursue(Aim aim, Instant now) {
  aim_ = aim;
  phase_ = Phase::queued;
  retry_.end_wait();
  if (watches_.slot().request(now)) return dispatch(now);
  set_state(State::connecting);
}

void Reflector::dispatch(Instant now) {
  if (aim_ == Aim::watch) return open_watch(false, now);
  if (wants_watchlist(now)) return open_watch(true, now);
  open_list(now);
}

void Reflector::set_state(State state) {
  if (state_ == state) return;
  state_ = state;
  effects_.on_state(state);
}

void Reflector::prove_fresh(Instant as_of) {
  if (!list_.synced()) return;
  if (!fresh_at_ || *fresh_at_ < as_of) fresh_at_ = as_of;
}

void Reflector::note_healthy() {
  retry_.note_healthy();
  watches_.note_healthy();
  list_.note_healthy();
}

void Reflector::log(LogLevel level, const std::string& line) {
  if (logger_.wants(level)) logger_.log(level, line);
}

void Reflector::on_slot_granted(Instant now) {
  granted_at_ = now;
  rearm_within_another();
}

void Reflector::on_server_recovered(Instant now, Milliseconds spread) {
  WatchConnection* watch = watches_.watch();
  const bool revalidates = watch != nullptr && watch->stage == Stage::revalidating;
  if (!retry_.waits_for_server() && !revalidates) return;
  const Instant soon = now + std::chrono::duration_cast<Milliseconds>(spread * random_.unit());
  if (retry_.waits_for_server()) {
    retry_.bring_forward(soon);
  } else if (watch->rotate_at) {
    watch->rotate_at = std::min(*watch->rotate_at, soon);
  }
  rearm_within_another();
}

// ---- lists --------------------------------------------------------------------------------------------------------

bool Reflector::wants_watchlist(Instant now) const {
  // The end of the initial events would be held back.
  if (server_state_->path().held_back(now) && !retry_.websocket(now)) return false;
  return options_.initial == Initial::watchlist && list_.watchlist_allowed() && !retry_.watchlist_refused();
}

void Reflector::open_list(Instant now) {
  phase_ = Phase::listing;
  set_state(State::listing);
  ++counters_.lists;
  if (list_.synced()) ++counters_.relists;
  const std::size_t usual_page = server_state_->streams_lists() ? 0 : kPageSize;
  probe_.forget_object();
  list_.begin(retry_.candidate(), options_.page_size.value_or(usual_page), now);
  list_.request_page(++last_id_, retry_.protobuf());
}

void Reflector::on_list_item(RequestId id, const json::Item& item, Instant now) {
  if (!list_.is_running(id)) return;
  probe_.note_object(item.name);
  list_.add(item);
  if (!list_.too_large()) return;
  list_.stop_request();
  fail_list(list_.too_large_error(), RecoveryAction::retry_slowly, now);
  rearm();
}

void Reflector::on_list_bad_item(RequestId id, const Error& error) {
  if (!list_.is_running(id)) return;
  ++counters_.errors;
  effects_.on_error(error, Milliseconds(0));
}

// Between items, and not only at the end, which may never come.
void Reflector::check_list(Instant now) {
  if (phase_ != Phase::listing || now < list_.started() + options_.initial_timeout) return;
  list_.stop_request();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options_.initial_timeout).count();
  fail_list(detected_error(Status::timeout,
                           "the list was not complete within initial_timeout (" + std::to_string(seconds) + " s)"),
            RecoveryAction::retry, now);
}

void Reflector::on_list_end(RequestId id, const json::ListMeta& meta, Instant now) {
  if (!list_.is_running(id)) return;
  switch (list_.end_page(meta)) {
    case Pager::Step::next_page:
      list_.request_page(++last_id_, retry_.protobuf());
      break;
    case Pager::Step::broken:
      fail_list(list_.error(), RecoveryAction::retry, now);
      break;
    case Pager::Step::done:
      if (!accept_version(list_.listed_version(), list_.at_version(), now)) break;
      note_listed(list_.commit_pages(), list_.started(), now);
      watches_.slot().release();
      if (polls_since_ && now - *polls_since_ < kPollsFor) {
        poll(nullptr, now);
      } else {
        pursue(Aim::watch, now);
      }
      break;
  }
  rearm();
}

void Reflector::on_list_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                               Instant now) {
  if (!list_.is_running(id)) return;
  list_.end_request();
  fail_list(error, recovery_for(list_.context(), error, status), now);
  rearm();
}

void Reflector::fail_list(const Error& error, RecoveryAction action, Instant now) {
  if (action == RecoveryAction::list_in_one_page && list_.restart_in_one_page(now)) {
    log(LogLevel::notice, "listing again in one page: " + error.text());
    return list_.request_page(++last_id_, retry_.protobuf());
  }
  list_.abandon();
  watches_.slot().release();
  const During in_list(failed_in_list_);
  recover(error, action, now);
}

bool Reflector::accept_version(std::string_view version, bool at_version, Instant now) {
  if (list_.accepts_version(version, at_version)) return true;
  const std::string what = version.empty() ? "the list has no resourceVersion; expected one not older than "
                                           : "the list's resourceVersion " + shortened(version) + " is older than ";
  const Error error = detected_error(Status::protocol, what + shortened(list_.version()) + ", which the view has");
  if (watches_.watch() != nullptr) {
    fail_watch(Request::running, error, RecoveryAction::retry_by_list, now);
  } else {
    fail_list(error, RecoveryAction::retry, now);
  }
  return false;
}

void Reflector::note_listed(bool changed, Instant as_of, Instant now) {
  retry_.note_listed(now);
  version_check_.note_list(changed);
  prove_fresh(as_of);
}

// ---- watches: opening ---------------------------------------------------------------------------------------------

WatchRequest Reflector::next_watch_request(Instant now) {
  WatchRequest request;
  request.candidate = retry_.candidate();
  request.protobuf = retry_.protobuf();
  request.websocket = retry_.websocket(now);
  request.timeout = draw_watch_timeout(options_.watch_timeout, random_);
  const WatchPath& path = server_state_->path();
  if (const auto life = path.lifetime(request.websocket, now)) {
    request.timeout = std::min(request.timeout, std::chrono::duration_cast<std::chrono::seconds>(*life));
  }
  return request;
}

std::chrono::seconds Reflector::poll_time() const {
  const std::size_t members = server_state_->limiter().members();
  return std::chrono::seconds((members + kPollsPerSecond - 1) / kPollsPerSecond);
}

// A handshake is answered at once, or a gateway keeps it; an HTTP watch may wait for its head, since a gateway that
// buffers passes it on with the first event, and the reflector sees to it that this ends.
WatchConnection& Reflector::prepared(WatchConnection& watch) const {
  watch.http_possible = options_.transport == WatchTransport::automatic;
  watch.initial_limit = options_.initial_timeout;
  if (watch.request.websocket && watch.http_possible)
    watch.request.head_limit = server_state_->transport().handshake_limit();
  if (watch.request.websocket) return watch;
  if (watch.request.poll) {
    watch.request.head_limit = watch.request.timeout + kPollOverdue;
  } else if (!watch.request.send_initial_events) {
    watch.request.head_limit = Milliseconds(0);
  } else {
    watch.request.head_limit = kInitialHeadLimit;
  }
  return watch;
}

void Reflector::start_watch(WatchConnection& watch, Instant now) {
  watches_.start(watch, ++last_id_, list_.version(), now);
}

void Reflector::open_watch(bool initial_events, Instant now) {
  phase_ = Phase::watching;
  WatchRequest request = next_watch_request(now);
  if (initial_events) {
    request.send_initial_events = true;
    request.resource_version = list_.next_version();
    request.resource_version_match = "NotOlderThan";
    if (list_.synced()) ++counters_.relists;
  } else if (!request.websocket && list_.resumable() && server_state_->path().held_back(now)) {
    request.poll = true;
    request.timeout = poll_time();
  } else if (!request.websocket && trial_next_) {
    make_trial(request);
  }
  trial_next_ = false;
  WatchConnection& watch = prepared(watches_.add_watch(std::move(request)));
  const bool follows_at_once = watch.request.poll || (follows_trial_ && !watch.request.websocket);
  if (!follows_at_once || state_ != State::live) set_state(State::connecting);
  start_watch(watch, now);
  // It is to wait for its end, and there are few at a time.
  if (watch.request.poll) watches_.slot().release();
}

void Reflector::on_watch_open(RequestId id, Instant now) {
  if (is_probe(id)) return probe_.note_open(now);
  const Role role = watches_.role_of(id);
  if (role == Role::none || (role == Role::watch && !watches_.watch()->requested())) return;
  if (role == Role::successor && watches_.watch()->healthy(now)) note_healthy();
  // Another transport was tried while the head did not come.
  if (role == Role::watch && watches_.watch()->stage == Stage::awaiting_head) {
    watches_.drop_successor(Request::running);
  }
  watches_.open(role, now);
  WatchConnection& watch = *watches_.watch();
  ++counters_.watches;
  if (counters_.watches > 1 && !watch.request.poll) ++counters_.reconnects;
  head_timed_out_ = false;
  polls_since_.reset();
  no_watch_.reset();
  if (watch.request.trial) {
    tried_ = true;
    watch.rotate_at.reset();
  } else if (watch.rotate_at && (retry_.transport() != nullptr || is_doubtful(watch, now))) {
    watch.mute_at = watch.silent_since + (is_doubtful(watch, now) ? kMute : kMuteAgain);
  }
  retry_.note_watch_open(watch.request.websocket, now);
  version_check_.note_open(server_state_->limiter().members(), now, random_);
  announce_transport(watch.request.websocket);
  if (watch.stage == Stage::initial_events) {
    list_.begin_initial_events();
    set_state(State::listing);
  } else {
    plan_probe(watch, now);
    set_state(State::live);
  }
  rearm();
}

// Events, which have no watch cache, have no bookmarks.
bool Reflector::is_doubtful(const WatchConnection& watch, Instant now) {
  if (options_.events) return false;
  if (!watch.request.websocket) return may_hold_events(watch, now) && !probe_.has_object() && !tried_;
  return retry_.transport() != nullptr && !retry_.transport()->proven(true);
}

// A gateway may pass on the head of a watch over HTTP, and its events when a block is full, or the watch ends: then one
// that is replaced before it ends has not shown them.
bool Reflector::may_hold_events(const WatchConnection& watch, Instant now) const {
  return !watch.request.websocket && list_.comparable() && !server_state_->path().events_come(now);
}

bool Reflector::is_long_silent(const WatchConnection& watch, Instant now) const {
  if (probe_.has_object()) return false;
  return watch.streaming() && !watch.has_message && !watch.request.trial && now - watch.silent_since >= kMute &&
         may_hold_events(watch, now);
}

void Reflector::make_trial(WatchRequest& request) {
  request.trial = true;
  request.timeout = std::min(request.timeout, kTrial);
}

// Once it has ended.
void Reflector::judge_trial(const WatchConnection& watch, Instant now) {
  if (!watch.has_message) return;
  if (!comes_with_end(watch, now)) return server_state_->path().note_event_came(now);
  server_state_->path().note_events_held_back(now);
  tell_held_back(poll_time());
}

void Reflector::follow_trial(Instant now) {
  const During follows(follows_trial_);
  if (!promote_successor(now)) pursue(aim_, now);
}

bool Reflector::comes_with_end(const WatchConnection& watch, Instant now) const {
  return watch.has_message && !watch.is_past_first_block(now) &&
         watch.first_message_at - watch.head_at >= watch.request.timeout / 2;
}

// A gateway that passes on the head of a watch, or a 101, and not its events shows nothing as long as nothing happens.
bool Reflector::wants_probe(const WatchConnection& watch, Instant now) {
  if (watch.request.poll || watch.request.trial) return false;
  if (watch.request.websocket) return retry_.transport() != nullptr && !retry_.transport()->proven(true);
  return may_hold_events(watch, now);
}

void Reflector::plan_probe(WatchConnection& watch, Instant now) {
  if (wants_probe(watch, now)) watch.probe_at = now + kProbeDelay;
}

// One stream of the server finds it out for all.
void Reflector::check_probe(Instant now) {
  if (const auto deadline = probe_.deadline(); deadline && now >= *deadline) {
    effects_.stop(probe_.id());
    end_probe(probe_.expire(), now);
  }
  WatchConnection* const watch = watches_.watch();
  if (watch == nullptr || !watch->streaming() || !watch->probe_at || now < *watch->probe_at) return;
  watch->probe_at.reset();
  WatchPath& path = server_state_->path();
  if (!watch->request.websocket && watch->came_by_itself(now)) path.note_event_came(now);
  if (!watch->request.websocket && path.held_back(now) && list_.resumable()) return poll_instead(now);
  if (!wants_probe(*watch, now) || probe_.running()) return;
  if (path.probing(now)) {
    watch->probe_at = now + kProbeDelay;
  } else if (watch->request.websocket && !retry_.websocket(now)) {
    if (watch->mute_at) watch->mute_at = now;
  } else if (probe_.has_object() && path.claim_probe(now)) {
    probe_.begin(++last_id_, watch->request.websocket, now);
    effects_.start_watch(last_id_, probe_.request(watch->request));
  }
}

void Reflector::end_probe(ProbeFinding finding, Instant now) {
  WatchPath& path = server_state_->path();
  if (path.note_probe(finding, now)) tell_held_back(poll_time());
  // It may be gone.
  if (finding == ProbeFinding::none) probe_.forget_object();
  if (finding == ProbeFinding::comes && !probe_.over_websocket()) path.note_event_came(now);
  if (finding == ProbeFinding::comes && retry_.transport() != nullptr) {
    retry_.note_message(probe_.over_websocket());
    announce_transport(probe_.over_websocket());
  }
  WatchConnection* const watch = watches_.watch();
  if (watch != nullptr && watch->streaming() && watch->request.websocket == probe_.over_websocket()) {
    if (finding == ProbeFinding::held) watch->probe_at = now;
    if (finding == ProbeFinding::mute && watch->mute_at) watch->mute_at = now;
    if (finding == ProbeFinding::none && watch->rotate_at && !watch->has_message && is_doubtful(*watch, now)) {
      watch->mute_at = watch->silent_since + kMute;
    }
  }
  check_probe(now);
  rearm();
}

void Reflector::stop_probe() {
  if (!probe_.running()) return;
  effects_.stop(probe_.id());
  probe_.stop();
}

void Reflector::tell_held_back(std::chrono::seconds interval) {
  if (!server_state_->path().take_notice()) return;
  log(LogLevel::notice,
      "watches over HTTP are held back on the way, as by nginx with proxy_buffering on and HTTP/1.0 to the server: "
      "changes are asked for every " +
          std::to_string(interval.count()) + " s; remembered for this server for an hour");
}

// ---- watches: events ----------------------------------------------------------------------------------------------

WatchConnection* Reflector::open_watch_of(RequestId id) noexcept {
  return watches_.role_of(id) == Role::watch && watches_.watch()->open() ? watches_.watch() : nullptr;
}

void Reflector::on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now) {
  if (is_probe(id)) return probe_.note_message(now);
  WatchConnection* watch = open_watch_of(id);
  if (watch == nullptr) return;
  watch->last_received = now;
  note_message(*watch);
  version_check_.note_version();
  if (watch->may_stall && !watch->stall_check_at) {
    watch->stall_check_at = now + kStallCheck;
    rearm();
  }
  if (const std::optional<Error> other_type = list_.expected_type().check(item)) {
    mark_inconsistent(other_type->within("the watch"), now);
  } else if (watch->stage == Stage::initial_events) {
    list_.add_initial(type, item);
    if (!list_.too_large()) return;
    fail_watch(Request::running, list_.too_large_error(), RecoveryAction::retry_slowly, now);
    rearm();
  } else {
    on_change(*watch, type, item, now);
  }
}

// Also long after the head: a block may be full then.
void Reflector::on_watch_event_begun(RequestId id, Instant now) {
  WatchConnection* const watch = open_watch_of(id);
  if (watch == nullptr || watch->request.websocket) return;
  watch->may_stall = true;
  if (watch->stall_check_at) return;
  watch->stall_check_at = now + kStallCheck;
  rearm();
}

void Reflector::on_change(WatchConnection& watch, json::EventType type, const json::Item& item, Instant now) {
  probe_.note_object(item.name);
  if (type == json::EventType::deleted && is_older(item.resource_version, watch.version)) {
    // Some servers send the object as it was, with the version of its last change (kubernetes#58545). It is gone.
    json::Item gone = item;
    gone.resource_version = watch.version;
    if (list_.wants(item) && effects_.apply(type, gone, {}) == store::Applied::deleted) ++counters_.events;
    return note_progress(watch, watch.version, true);
  }
  if (went_back(watch, item.resource_version, "the watch's resourceVersion", now)) return;
  if (item.resource_version.empty()) list_.note_unversioned_event();
  note_progress(watch, item.resource_version, true);
  // The watch before this one has sent it already.
  if (!is_older(item.resource_version, list_.version())) {
    if (list_.wants(item)) {
      const store::Applied applied = list_.apply(type, item);
      if (applied != store::Applied::stale && applied != store::Applied::absent) ++counters_.events;
    } else if (list_.resumable()) {
      list_.advance_to(item.resource_version);
    }
  }
  keep_apart();
  note_current(watch, now);
}

// Over HTTP the first message may have been held back for the end, which would follow at once.
void Reflector::note_current(WatchConnection& watch, Instant now) {
  if (!watch.caught_up(now)) return;
  if (watch.request.websocket || watch.is_past_first_block(now)) return prove_fresh(now);
  watch.settled_at = watch.first_message_at + kTogether + Milliseconds(1);
  rearm();
}

void Reflector::check_settled(Instant now) {
  WatchConnection* const watch = watches_.watch();
  if (watch == nullptr || !watch->open() || !watch->settled_at || now < *watch->settled_at) return;
  watch->settled_at.reset();
  if (!watch->came_by_itself(now)) return;
  if (!watch->request.poll) server_state_->path().note_event_came(now);
  prove_fresh(watch->first_message_at);
}

void Reflector::on_watch_bookmark(RequestId id, std::string_view version, bool initial_events_end, Instant now) {
  if (is_probe(id)) return probe_.note_message(now);
  WatchConnection* watch = open_watch_of(id);
  if (watch == nullptr) return;
  ++counters_.bookmarks;
  watch->last_received = now;
  note_message(*watch);
  version_check_.note_version();
  const bool may_lack_version = initial_events_end || !list_.resumable();
  if (version.empty() && !may_lack_version) {
    mark_inconsistent(detected_error(Status::protocol, "the watch sent a bookmark without resourceVersion"), now);
  } else if (watch->stage == Stage::initial_events && initial_events_end) {
    on_initial_events_end(*watch, version, now);
  } else if (watch->stage == Stage::initial_events) {
    // A server that supports sendInitialEvents sends no other bookmark before (cache_watcher.go).
    fail_watch(Request::running, detected_error(Status::protocol, "the server ignores sendInitialEvents"),
               RecoveryAction::without_watchlist, now);
  } else if (!went_back(*watch, version, "a bookmark's resourceVersion", now)) {
    watches_.heartbeat().note_bookmark(now);
    watch->has_bookmark = true;
    const std::optional<int> order = compare_resource_versions(version, list_.version());
    // A server may begin each watch with a bookmark at its version, and end it.
    const bool moves = order ? *order > 0 : version != list_.version();
    note_progress(*watch, version, moves || now - watch->opened >= kBookmarkLead);
    if (list_.resumable() && (!order || *order > 0)) list_.advance_to(version);
    keep_apart();
    note_current(*watch, now);
  }
  rearm();
}

void Reflector::on_initial_events_end(WatchConnection& watch, std::string_view version, Instant now) {
  const bool at_version = !watch.request.resource_version.empty();
  if (!accept_version(version, at_version, now)) return;
  watch.stage = Stage::streaming;
  watch.version = version;
  // All of it may have been held back on the way.
  note_listed(list_.commit_initial(version, at_version), watch.started, now);
  plan_probe(watch, now);
  aim_ = Aim::watch;
  set_state(State::live);
}

bool Reflector::went_back(const WatchConnection& watch, std::string_view version, const char* what, Instant now) {
  const std::optional<int> order = compare_resource_versions(version, watch.version);
  if (!order || *order >= 0) return false;
  mark_inconsistent(detected_error(Status::protocol, std::string(what) + " went back from " + shortened(watch.version) +
                                                         " to " + shortened(version)),
                    now);
  return true;
}

void Reflector::note_message(WatchConnection& watch) {
  if (std::exchange(watch.has_message, true)) {
    // The first one came by itself.
    if (watch.is_past_first_block(watch.last_received) && !watch.request.websocket && !watch.request.poll) {
      server_state_->path().note_event_came(watch.last_received);
    }
    return;
  }
  watch.first_message_at = watch.last_received;
  watch.mute_at.reset();
  if (retry_.transport() == nullptr) return;
  retry_.note_message(watch.request.websocket);
  announce_transport(watch.request.websocket);
}

// Something on the way has ended it, or the server did.
void Reflector::note_cut(const WatchConnection& watch, Instant now) {
  if (!watch.open() || watch.request.poll || now + kCutLead >= watch.opened + watch.request.timeout) return;
  const auto silent = std::chrono::duration_cast<Milliseconds>(now - watch.last_received);
  WatchPath& path = server_state_->path();
  if (!path.note_cut(watch.request.websocket, watch.opened, silent, now)) return;
  const auto life = std::chrono::duration_cast<std::chrono::seconds>(
      path.lifetime(watch.request.websocket, now).value_or(Milliseconds()));
  log(LogLevel::notice, "watches are ended on the way before their time: those of the next hour last " +
                            std::to_string(life.count()) + " s");
  // The next one will not be, so it need not wait.
  note_healthy();
}

// A watch may end without an event, but not before its time. `was_due`: it should have sent something, or ended.
void Reflector::note_fruitless(const WatchConnection& watch, bool was_due, Instant now) {
  TransportChoice* const choice = retry_.transport();
  if (choice == nullptr || !watch.open() || watch.has_message || (watch.healthy(now) && !was_due)) return;
  // Polls, and watches that a known limit has ended before they could.
  const bool was_cut =
      choice->proven(watch.request.websocket) && server_state_->path().lifetime(watch.request.websocket, now);
  if (!was_due && (watch.request.poll || was_cut)) return;
  retry_.note_fruitless(watch.request.websocket, watch.opened, now);
}

void Reflector::announce_transport(bool websocket) {
  transport_ = websocket ? WatchTransport::websocket : WatchTransport::http;
  TransportChoice* const choice = retry_.transport();
  if (choice == nullptr) return;
  if (const auto notice = choice->take_notice(websocket)) log(LogLevel::notice, *notice);
}

void Reflector::note_progress(WatchConnection& watch, std::string_view version, bool healthy) {
  if (!version.empty()) watch.version = version;
  watch.has_progress = true;
  if (healthy) note_healthy();
  if (watch.stage != Stage::revalidating) return;
  watch.stage = Stage::streaming;
  set_state(State::live);
}

// What was sent cannot be applied, so the view may have missed a change.
void Reflector::mark_inconsistent(const Error& error, Instant now) {
  if (watches_.watch()->stage == Stage::initial_events) list_.avoid_watchlist_next();
  fail_watch(Request::running, error, RecoveryAction::retry_by_list, now);
  rearm();
}

// An object that is too large stays in the view in its older state, which is known to be stale; any other bad event is
// a change to an unknown object. What is no event at all may be a gateway's: two such watches in a row, and the other
// transport is tried.
void Reflector::on_watch_bad_event(RequestId id, const Error& error, json::BadEvent event, Instant now) {
  if (is_probe(id)) return probe_.note_message(now);
  WatchConnection* watch = open_watch_of(id);
  if (watch == nullptr) return;
  watch->last_received = now;
  if (event.is_event) note_message(*watch);
  if (error.status == Status::too_large) version_check_.note_version();
  // A list has no object that is gone, be it too large.
  const bool may_be_skipped =
      error.status == Status::too_large && watch->stage != Stage::initial_events && !event.may_be_deletion;
  if (!may_be_skipped) return mark_inconsistent(error, now);
  ++counters_.errors;
  effects_.on_error(error, Milliseconds(0));
}

// ---- watches: end -------------------------------------------------------------------------------------------------

void Reflector::on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now) {
  if (is_probe(id)) return probe_.note_message(now);
  WatchConnection* watch = open_watch_of(id);
  if (watch == nullptr) return;
  note_message(*watch);
  fail_watch(Request::running, error_of(status), recovery_for_event(watch->context(), status), now);
  rearm();
}

void Reflector::on_watch_end(RequestId id, Instant now) {
  if (is_probe(id)) return end_probe(probe_.end(now), now);
  const Error unanswered = detected_error(Status::protocol, "the watch request ended without a response");
  switch (watches_.role_of(id)) {
    case Role::none:
      return;
    case Role::successor:
      fail_successor(Request::ended, unanswered, now);
      break;
    case Role::watch:
      note_cut(*watches_.watch(), now);
      if (watches_.watch()->open()) {
        end_watch(now);
      } else {
        fail_watch(Request::ended, unanswered, RecoveryAction::retry, now);
      }
      break;
  }
  rearm();
}

void Reflector::end_watch(Instant now) {
  const WatchConnection& watch = *watches_.watch();
  if (watch.stage == Stage::initial_events) {
    const bool had_time = watch.has_message && watch.had_time_for_initial_events(now);
    return fail_watch(Request::ended,
                      detected_error(Status::protocol, "the watch ended before all initial events were sent"),
                      had_time ? RecoveryAction::without_watchlist : RecoveryAction::list_this_time, now);
  }
  if (watch.request.poll && end_poll(now)) return;
  if (watch.request.trial && now - watch.opened >= watch.request.timeout) {
    judge_trial(watch, now);
    drop_watch(Request::ended, now);
    return follow_trial(now);
  }
  // How the watch of core/v1 Events, which have no watch cache, says that a resourceVersion is too old
  // (kubernetes#137089).
  if (watches_.ends_as_if_expired(now, options_.events ? 1 : 2)) {
    return fail_watch(Request::ended,
                      detected_error(Status::gone, "watch closed immediately without events; treating as expired"),
                      RecoveryAction::relist, now);
  }
  drop_watch(Request::ended, now);
  reopen(now);
}

// A gateway may have passed a handshake on as a plain request, and hold the answer back as it does that of a watch over
// HTTP; one poll tells. Where a poll is not answered it is something else.
void Reflector::note_silence(const WatchConnection& watch, Instant now) {
  WatchPath& path = server_state_->path();
  if (watch.request.poll) {
    path.note_unanswered();
  } else if (path.late_head_means_held_back(now)) {
    path.note_held_back(now);
  }
}

// False: it ended before its time.
bool Reflector::end_poll(Instant now) {
  const WatchConnection& watch = *watches_.watch();
  const Milliseconds time = watch.request.timeout;
  if (now - watch.started < time) return false;
  WatchPath& path = server_state_->path();
  if (comes_with_end(watch, now)) {
    path.note_events_held_back(now);
    tell_held_back(watch.request.timeout);
  } else if (now - watch.head_at < time / 2) {
    tell_held_back(watch.request.timeout);
  } else if (watch.has_message ? watch.first_message_at - watch.head_at > kTogether : !path.holds_events(now)) {
    path.note_prompt(now);
  }
  // A slow network lets one that was ended at once, as expired, look like one that lasted. So what is silent proves
  // nothing, and is followed by a list now and then.
  if (watch.has_message) prove_fresh(watch.started);
  if (watch.has_message || !list_again_at_) list_again_at_ = now + draw_watch_timeout(options_.watch_timeout, random_);
  const bool list_again = now >= *list_again_at_;
  if (list_again) list_again_at_.reset();
  note_healthy();
  drop_watch(Request::ended, now);
  if (list_again || !list_.resumable()) {
    watches_.drop_successor(Request::running);
    pursue(Aim::list, now);
  } else if (!promote_successor(now)) {
    pursue(Aim::watch, now);
  }
  return true;
}

void Reflector::on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status,
                                Instant now) {
  if (is_probe(id)) {
    probe_.stop();
    return end_probe(ProbeFinding::none, now);
  }
  const Role role = watches_.role_of(id);
  if (role == Role::none) return;
  const WatchConnection& watch = role == Role::watch ? *watches_.watch() : *watches_.successor();
  const RequestContext context = watch.context();
  if (!context.opened) retry_.note_watch_refused(context, error, status, now);
  if (!context.opened && error.status == Status::timeout) note_silence(watch, now);
  if (role == Role::watch) {
    version_check_.note_failure();
    const bool websocket = watch.request.websocket;
    const bool had_limit = server_state_->path().lifetime(websocket, now).has_value();
    if (is_unreachable(error)) note_cut(watch, now);
    if (is_unreachable(error) && !had_limit && server_state_->path().lifetime(websocket, now)) {
      drop_watch(Request::ended, now);
      if (!promote_successor(now)) retry_at_once(error, aim_, now);
    } else {
      fail_watch(Request::ended, error, recovery_for(context, error, status), now);
    }
  } else {
    fail_successor(Request::ended, error, now);
  }
  rearm();
}

void Reflector::drop_watch(Request request, Instant now) {
  if (watches_.watch()->healthy(now)) note_healthy();
  note_fruitless(*watches_.watch(), false, now);
  forget_watch(request);
}

void Reflector::forget_watch(Request request) {
  if (!list_.resumable()) aim_ = Aim::list;
  watches_.drop_watch(request);
  list_.abandon();
}

void Reflector::fail_watch(Request request, const Error& error, RecoveryAction action, Instant now) {
  drop_watch(request, now);
  if (action == RecoveryAction::retry && promote_successor(now)) return;
  watches_.drop_successor(Request::running);
  recover(error, action, now);
}

// At once after an end in order, but never twice in a row.
void Reflector::reopen(Instant now) {
  if (promote_successor(now)) return;
  if (retry_.take_immediate_retry(now)) return pursue(aim_, now);
  wait(nullptr, retry_.next_backoff(), aim_, now);
}

// ---- watches: the successor ---------------------------------------------------------------------------------------

void Reflector::rotate(Instant now) {
  if (!watches_.rotation_is_due(now)) return;
  if (watches_.watch()->open() && !list_.comparable()) return watches_.watch()->rotate_at.reset();
  if (watches_.watch()->stage == Stage::awaiting_head) {
    watches_.watch()->rotate_at.reset();
    if (TransportChoice* const choice = retry_.transport()) choice->note_head_missing(now);
    if (!retry_.websocket(now)) return;
  }
  WatchRequest request = next_watch_request(now);
  const WatchConnection& watch = *watches_.watch();
  if (!request.websocket && is_long_silent(watch, now)) make_trial(request);
  WatchConnection& successor = prepared(watches_.add_successor(std::move(request)));
  if (watches_.successor_slot().request(now)) start_watch(successor, now);
}

// Two watches send the same changes, and where versions do not compare the older ones of them pass for newer ones.
void Reflector::keep_apart() {
  if (!list_.comparable()) watches_.drop_successor(Request::running);
}

// The watch is gone while its successor is queued or requested: that is the retry.
bool Reflector::promote_successor(Instant now) {
  if (watches_.successor() == nullptr) return false;
  if (!watches_.promote_successor()) {
    pursue(Aim::watch, now);
    return true;
  }
  aim_ = Aim::watch;
  phase_ = Phase::watching;
  check_head(*watches_.watch(), now);
  const WatchConnection* const watch = watches_.watch();
  if (watch != nullptr && watch->stage == Stage::opening && !watch->request.poll) set_state(State::connecting);
  return true;
}

// The old watch continues, unless it is being revalidated. Credentials or transport are changed at once, while it
// lasts.
void Reflector::fail_successor(Request request, const Error& error, Instant now) {
  log(LogLevel::notice, "could not open the next watch, the current one continues: " + error.text());
  const bool over_http_instead = watches_.successor()->request.websocket && !retry_.websocket(now);
  watches_.drop_successor(request);
  // One that waits for its head over HTTP is what would be requested again.
  if (!watches_.watch()->open()) return;
  const bool with_new_credentials = error.http_status == 401 && retry_.take_credentials_retry(now);
  if (with_new_credentials) effects_.refresh_credentials();
  if (over_http_instead || with_new_credentials) {
    watches_.watch()->rotate_at = now;
    rotate(now);
  } else if (watches_.watch()->stage == Stage::revalidating) {
    fail_watch(Request::running, error, RecoveryAction::retry, now);
  }
}

// ---- recovery -----------------------------------------------------------------------------------------------------

void Reflector::recover(const Error& error, RecoveryAction action, Instant now) {
  switch (action) {
    case RecoveryAction::retry:
      return retry(error, aim_, now);
    case RecoveryAction::list_in_one_page:
    case RecoveryAction::retry_by_list:
      return retry(error, Aim::list, now);
    case RecoveryAction::relist:
      return relist(error, now);
    case RecoveryAction::list_most_recent:
      list_.use_most_recent_next();
      log(LogLevel::notice, "listing again at the most recent state: " + error.text());
      return try_another_way(error, Aim::list, now);
    case RecoveryAction::refresh_credentials:
      return refresh_credentials(error, now);
    case RecoveryAction::next_candidate:
      return try_next_candidate(error, now);
    case RecoveryAction::retry_slowly:
      return retry_slowly(error, aim_, now);
    case RecoveryAction::without_websocket:
      return recover_without_websocket(error, now);
    case RecoveryAction::without_watchlist:
      retry_.note_watchlist_refused();
      log(LogLevel::notice, "listing, since the server does not support WatchList: " + error.text());
      return try_another_way(error, Aim::list, now);
    case RecoveryAction::in_json:
      return recover_in_json(error, now);
    case RecoveryAction::list_this_time:
      list_.avoid_watchlist_next();
      log(LogLevel::notice, "listing, since WatchList failed: " + error.text());
      return try_another_way(error, Aim::list, now);
    case RecoveryAction::poll:
      return find_no_watch(error, now);
    case RecoveryAction::give_up:
      return give_up(error);
  }
}

// The server is newer than this library. The object at hand was not applied, so nothing is lost.
void Reflector::recover_in_json(const Error& error, Instant now) {
  if (!retry_.fall_back_to_json()) return error.http_status != 0 ? give_up(error) : retry_slowly(error, aim_, now);
  log(LogLevel::notice, "reading JSON from now on, since protobuf is not possible: " + error.text());
  try_another_way(error, aim_, now);
}

void Reflector::recover_without_websocket(const Error& error, Instant now) {
  if (options_.transport == WatchTransport::automatic) {
    log(LogLevel::info, "trying HTTP instead of WebSocket: " + error.text());
    return try_another_way(error, aim_, now);
  }
  // A page in answer to a handshake comes from a gateway, which may be replaced by the server again.
  const bool from_a_gateway = error.http_status >= 200 && error.http_status < 300;
  from_a_gateway ? retry_slowly(error, aim_, now) : give_up(error);
}

void Reflector::refresh_credentials(const Error& error, Instant now) {
  const bool obtained = effects_.refresh_credentials();
  const bool at_once = retry_.take_credentials_retry(now);
  if (obtained) {
    log(LogLevel::info, "new credentials are obtained: " + error.text());
  } else if (at_once) {
    log(LogLevel::info, "trying once more: " + error.text());
  }
  at_once ? pursue(aim_, now) : retry(error, aim_, now);
}

void Reflector::try_next_candidate(const Error& error, Instant now) {
  const bool more = retry_.next_candidate(now);
  use_other_name_next();
  if (!more) return resolve_again(error, now);
  log(LogLevel::info, "trying the next name of the resource: " + error.text());
  try_another_way(error, Aim::list, now);
}

void Reflector::use_other_name_next() {
  // It may have a watch.
  polls_since_.reset();
  no_watch_.reset();
  list_.use_other_name_next();
}

// A server may have stopped to serve a version of it.
void Reflector::resolve_again(const Error& error, Instant now) {
  if (!effects_.resolve_again()) return retry_slowly(error, Aim::list, now);
  log(LogLevel::info, "looking up the names of the resource again: " + error.text());
  unresolved_ = error;
  aim_ = Aim::list;
  phase_ = Phase::resolving;
  retry_.end_wait();
  set_state(State::connecting);
}

void Reflector::on_resolved(std::optional<std::size_t> candidates, Instant now) {
  if (phase_ == Phase::over || phase_ == Phase::idle) return;
  if (candidates) {
    retry_.set_candidates(*candidates);
    use_other_name_next();
    drop_requests();
    pursue(Aim::list, now);
  } else if (phase_ == Phase::resolving) {
    retry_slowly(unresolved_, Aim::list, now);
  }
  rearm();
}

void Reflector::try_another_way(const Error& error, Aim aim, Instant now) {
  retry_.take_other_way(now) ? pursue(aim, now) : retry(error, aim, now);
}

// As the end of a watch in order, which often comes before it and was followed up at once, it ends no stream.
void Reflector::relist(const Error& error, Instant now) {
  list_.note_expired();
  const bool progress = retry_.note_expired();
  if (take_immediate_retry(error, Aim::list, now)) return;
  if (options_.reconnect || !progress) return retry(error, Aim::list, now);
  log(LogLevel::notice, "listing again: " + error.text());
  wait(nullptr, retry_.next_backoff(), Aim::list, now);
}

void Reflector::retry_at_once(const Error& error, Aim aim, Instant now) {
  if (!take_immediate_retry(error, aim, now)) retry(error, aim, now);
}

bool Reflector::take_immediate_retry(const Error& error, Aim aim, Instant now) {
  if (!retry_.take_immediate_retry(now)) return false;
  log(LogLevel::notice, "retrying at once: " + error.text());
  pursue(aim, now);
  return true;
}

void Reflector::retry(const Error& error, Aim aim, Instant now) {
  wait(&error, retry_.next_backoff(), aim, now);
}

void Reflector::retry_slowly(const Error& error, Aim aim, Instant now) {
  wait(&error, retry_.slow_delay(), aim, now);
}

// The error is told once.
void Reflector::find_no_watch(const Error& error, Instant now) {
  const bool reported = no_watch_.has_value();
  no_watch_ = error;
  polls_since_ = now;
  poll(reported ? nullptr : &error, now);
}

// The view is as of the last list, and the state says that the next one is waited for.
void Reflector::poll(const Error* error, Instant now) {
  const During polls(polls_);
  wait(error, draw_watch_timeout(options_.watch_timeout, random_), Aim::list, now);
}

void Reflector::wait(const Error* error, Milliseconds delay, Aim aim, Instant now) {
  if (error != nullptr && !options_.reconnect) return give_up(*error);
  delay = retry_.begin_wait(error, delay, now);
  aim_ = aim;
  phase_ = Phase::waiting;
  set_state(State::waiting);
  if (error == nullptr) return;
  ++counters_.errors;
  effects_.on_error(*error, delay);
}

void Reflector::give_up(const Error& error) {
  finish();
  ++counters_.errors;
  effects_.on_error(error, std::nullopt);
}

// After out_of_memory what was not applied is sent again from the last resourceVersion; after anything else the view
// may have missed a change.
void Reflector::on_exception(const Error& error, Instant now) {
  if (phase_ == Phase::over) return;
  drop_requests();
  timer_at_.reset();
  retry(error, error.status == Status::out_of_memory ? aim_ : Aim::list, now);
  rearm();
}

// ---- time ---------------------------------------------------------------------------------------------------------

std::optional<Instant> Reflector::next_timer() const {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  const bool may_start = phase_ == Phase::queued && watches_.slot().granted();
  if (may_start || watches_.successor_may_start()) consider(granted_at_);
  consider(retry_.next_try_at());
  if (phase_ == Phase::listing) consider(list_.started() + options_.initial_timeout);
  consider(watches_.next_deadline());
  consider(probe_.deadline());
  if (may_check_version()) consider(version_check_.due_at(watches_.heartbeat().first_limit()));
  return next;
}

// A timer that fires too early costs less than setting it anew at each event.
void Reflector::rearm() {
  if (phase_ == Phase::over) return;
  const std::optional<Instant> next = next_timer();
  if (timer_at_ && next && *timer_at_ <= *next) return;
  if (!timer_at_ && !next) return;
  timer_at_.reset();
  effects_.set_timer(next);
  timer_at_ = next;
}

// Called from within another reflector's input, which must not fail because of this one. rearm() repairs it later.
void Reflector::rearm_within_another() {
  try {
    rearm();
  } catch (...) {
    timer_at_.reset();
  }
}

void Reflector::on_timer(Instant now) {
  if (phase_ == Phase::over || phase_ == Phase::idle) return;
  timer_at_.reset();
  use_granted_slots(now);
  if (phase_ == Phase::waiting && retry_.is_due(now)) pursue(aim_, now);
  check_list(now);
  check_settled(now);
  check_probe(now);
  check_watch(now);
  check_successor(now);
  check_version(now);
  rotate(now);
  rearm();
}

void Reflector::use_granted_slots(Instant now) {
  if (phase_ == Phase::queued && watches_.slot().granted()) dispatch(now);
  if (watches_.successor_may_start()) start_watch(*watches_.successor(), now);
}

void Reflector::check_watch(Instant now) {
  WatchConnection* watch = watches_.watch();
  if (watch == nullptr) return;
  if (watch->stall_check_at && now >= *watch->stall_check_at) {
    check_stall(*watch, now);
    watch = watches_.watch();
    if (watch == nullptr) return;
  }
  if (watch->stage == Stage::initial_events) return check_initial_events(*watch, now);
  if (!watch->open()) {
    check_head(*watch, now);
    watch = watches_.watch();
    if (watch == nullptr || watch->open() || now < watch->deadline()) return;
    head_timed_out_ = true;
    if (!watch->request.websocket) server_state_->path().note_head_overdue();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - watch->started).count();
    const Error error =
        detected_error(Status::timeout, "no response to the watch request for " + std::to_string(seconds) + " s");
    retry_.note_watch_refused(watch->context(), error, std::nullopt, now);
    return on_watch_timeout(error, now);
  }
  if (now >= watch->deadline()) {
    note_fruitless(*watch, true, now);
    if (watch->request.poll) server_state_->path().note_unanswered();
    const bool trial = watch->request.trial;
    drop_watch(Request::running, now);
    return trial ? follow_trial(now) : reopen(now);
  }
  check_mute(*watch, now);
  watch = watches_.watch();
  if (watch == nullptr || !watch->open()) return;
  const auto limit = watches_.heartbeat().silence_limit();
  if (!limit || now < watch->last_received + *limit) return;
  note_fruitless(*watch, true, now);
  trial_next_ = is_long_silent(*watch, now);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - watch->last_received).count();
  on_watch_timeout(
      detected_error(Status::timeout, "nothing received on the watch for " + std::to_string(seconds) + " s"), now);
}

// A server sends the head of a watch at once (kube-apiserver: endpoints/handlers/watch.go), so one that does not come
// is held back on the way, and changes would be, too. Where the head is known to be late the request is with the
// server, and nothing says that the list is no longer current; freshness says since when that is known. A request that
// waits so long takes no slot.
void Reflector::check_head(WatchConnection& watch, Instant now) {
  if (watch.stage != Stage::opening || !watch.head_check_at || now < *watch.head_check_at) return;
  if (!effects_.is_sent(watch.id)) {
    watch.head_check_at = now + kHeadCheckAgain;
    // It may follow a trial, at whose end the view was live.
    set_state(State::connecting);
    return;
  }
  if (list_.resumable() && server_state_->path().late_head_means_held_back(now)) return begin_polling(now);
  watch.await_head(head_limit(watches_.heartbeat(), watch.request, !options_.events));
  watches_.slot().release();
  transport_ = WatchTransport::http;
  if (!head_timed_out_) set_state(State::live);
}

// Over HTTP the server flushes after each event, so one that came in part is at the end of a block that was passed on
// when it was full.
void Reflector::check_stall(WatchConnection& watch, Instant now) {
  watch.stall_check_at.reset();
  const bool is_initial = watch.stage == Stage::initial_events;
  if (!is_initial && !list_.resumable()) return;
  if (!effects_.is_stalled(watch.id, kStallCheck)) {
    // A head without an event was not held back.
    watch.may_stall = watch.has_message || is_initial;
    const bool may_be_in_part = effects_.is_stalled(watch.id, Milliseconds(0));
    if (may_be_in_part || now - watch.last_received < kStallCheck || is_initial) {
      watch.stall_check_at = now + kStallCheck;
    }
    return;
  }
  if (!is_initial) return begin_polling(now);
  server_state_->path().note_held_back(now);
  fail_watch(Request::running, detected_error(Status::timeout, "an initial event came in part, and nothing after it"),
             RecoveryAction::list_this_time, now);
}

void Reflector::begin_polling(Instant now) {
  server_state_->path().note_held_back(now);
  poll_instead(now);
}

void Reflector::poll_instead(Instant now) {
  drop_watch(Request::running, now);
  watches_.drop_successor(Request::running);
  pursue(Aim::watch, now);
  if (watches_.watch() == nullptr || !watches_.watch()->request.poll) return;
  transport_ = WatchTransport::http;
  if (!head_timed_out_) set_state(State::live);
}

void Reflector::check_mute(WatchConnection& watch, Instant now) {
  if (!watch.mute_at || now < *watch.mute_at) return;
  watch.mute_at.reset();
  note_fruitless(watch, true, now);
  if (!list_.comparable()) {
    drop_watch(Request::running, now);
    return reopen(now);
  }
  if (!is_long_silent(watch, now)) watch.silent_since = now;
  if (watches_.successor() == nullptr) watch.rotate_at = now;
}

void Reflector::check_initial_events(const WatchConnection& watch, Instant now) {
  if (now < watch.deadline()) return;
  // A transport that has passed on nothing yet is more likely the reason than the server.
  const TransportChoice* const choice = retry_.transport();
  const bool mute = !watch.has_message && choice != nullptr && !choice->proven(watch.request.websocket);
  note_fruitless(watch, true, now);
  const Error error = detected_error(Status::timeout, "the server did not send all initial events in time");
  fail_watch(Request::running, error, mute ? RecoveryAction::list_this_time : RecoveryAction::without_watchlist, now);
}

void Reflector::on_watch_timeout(const Error& error, Instant now) {
  version_check_.note_failure();
  drop_watch(Request::running, now);
  if (promote_successor(now)) return;
  if (!options_.reconnect) return give_up(error);
  retry_at_once(error, aim_, now);
}

void Reflector::check_successor(Instant now) {
  const WatchConnection* successor = watches_.successor();
  if (successor == nullptr || successor->stage == Stage::queued || now < successor->deadline()) return;
  fail_successor(Request::running, detected_error(Status::timeout, "no response to the watch request"), now);
}

bool Reflector::may_check_version() const noexcept {
  return watches_.watch() != nullptr && watches_.watch()->streaming() && list_.comparable();
}

void Reflector::check_version(Instant now) {
  if (!may_check_version()) return;
  const std::size_t streams = server_state_->limiter().members();
  if (!version_check_.take_due(list_.version(), watches_.heartbeat().first_limit(), streams, now, random_)) return;
  effects_.ask_newest_version(watches_.watch()->request.candidate);
}

// A server that is behind is no reason to think less of the transport.
void Reflector::on_newest_version(std::string_view version, Instant now) {
  if (!may_check_version()) return;
  const VersionCheck::Finding finding = version_check_.judge(version, now);
  if (finding == VersionCheck::Finding::older) {
    log(LogLevel::notice, "listing again: the newest resourceVersion is " + shortened(version) + ", older than " +
                              shortened(list_.version()) + ", which the view has");
    forget_watch(Request::running);
  } else if (finding == VersionCheck::Finding::newer) {
    log(LogLevel::notice,
        "listing again: watches are silent for longer than their bookmarks let expect, and the "
        "newest resourceVersion is " +
            shortened(version) + ", newer than " + shortened(list_.version()) + ", which the view has");
    drop_watch(Request::running, now);
  } else {
    return rearm();
  }
  list_.use_most_recent_next();
  watches_.drop_successor(Request::running);
  pursue(Aim::list, now);
  rearm();
}

// ---- time: after a sleep ------------------------------------------------------------------------------------------

void Reflector::on_clock_jump(Instant now) {
  if (phase_ == Phase::over || phase_ == Phase::idle) return;
  const bool probe = server_state_->limiter().claim_probe(*this, now);
  WatchConnection* watch = watches_.watch();
  if (phase_ == Phase::watching && watch->streaming() && list_.comparable()) {
    revalidate_watch(*watch, probe, now);
  } else if (phase_ != Phase::queued) {
    revalidate_request(probe, now);
  }
  rearm();
}

// The connection of a request may be dead: it is sent again.
void Reflector::revalidate_request(bool probe, Instant now) {
  const bool waited = phase_ == Phase::waiting;
  drop_requests();
  retry_.note_clock_jump();
  if (probe) return pursue(aim_, now);
  if (!waited) wait(nullptr, retry_.next_backoff(), aim_, now);
}

// The connection may be dead without a sign of it: the successor is requested now, and the watch continues if it is
// not.
void Reflector::revalidate_watch(WatchConnection& watch, bool probe, Instant now) {
  watch.set_revalidating(now);
  set_state(State::connecting);
  watches_.drop_successor(Request::running);
  watches_.bring_rotation_forward(probe, random_, now);
  rotate(now);
}

}  // namespace ksr::sync

#include "simulation/api_server.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "simulation/client.hpp"
#include "support/errors.hpp"

namespace ksr::sync::testing {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxInFlight = 20;
// connect_timeout and request_timeout, which the transport sees to.
constexpr Milliseconds kTransportLimit = 30s;

void report_failure(Call& call, const Error& error, Reflector& reflector, Instant now) {
  if (call.is_watch) {
    reflector.on_watch_failed(call.id, error, std::nullopt, now);
  } else {
    reflector.on_list_failed(call.id, error, std::nullopt, now);
  }
}

}  // namespace

ApiServer::ApiServer(World& world)
    : world_(world),
      drip_random_(~world.scenario.seed),
      gateway_(world.scenario.gateway),
      replicas_(world.scenario.replicas) {
  for (Replica& replica : replicas_) {
    replica.revision = replica.window_start = world_.etcd.revision();
    replica.lag = world_.random.between(0ms, world_.scenario.max_lag);
  }
  right_candidate_ = world_.random.below(world_.scenario.options.candidates);
}

// ---- the client's side --------------------------------------------------------------------------------------------

Call& ApiServer::begin(Client& client, RequestId id, Milliseconds delay) {
  while (first_alive_ < calls_.size() && calls_[first_alive_]->gone) ++first_alive_;
  calls_.push_back(std::make_unique<Call>());
  Call& call = *calls_.back();
  call.client = &client;
  call.id = id;
  call.begun = world_.agenda.now();
  call.credentials = client.credentials();
  call.delay = delay;
  call.drip = draw_drip();
  return call;
}

void ApiServer::begin_list(Client& client, RequestId id, const ListRequest& request) {
  Call& call = begin(client, id, world_.random.between(0ms, world_.scenario.max_delay));
  call.list = request;
  give_up_unless_answered(call);
}

void ApiServer::begin_watch(Client& client, RequestId id, const WatchRequest& request, bool after_trial) {
  Call& call = begin(client, id, world_.random.between(0ms, world_.scenario.max_delay));
  call.is_watch = true;
  call.after_trial = after_trial;
  call.watch = request;
  give_up_unless_answered(call);
}

void ApiServer::begin_probe(Client& client, RequestId id, const WatchRequest& request) {
  Call& call = begin(client, id, 10ms);
  call.is_watch = true;
  call.watch = request;
  if (call.drip != Drip::none) expect_end(call, call.begun + limit_of(call));
  world_.agenda.after(call.delay, [this, &call] {
    if (call.gone || call.drip == Drip::connecting || call.drip == Drip::head) return;
    if (call.drip == Drip::body) return open(call);
    serve_probe(call);
  });
}

// As the transport does: a request without an answer, or a list that makes no progress, fails.
void ApiServer::give_up_unless_answered(Call& call) {
  if (in_flight() > kMaxInFlight) throw InvariantViolation("more than 20 requests in flight to one server");
  if (call.drip != Drip::none) expect_end(call, call.begun + limit_of(call));
  if (call.drip == Drip::connecting) {
    // What the reflector does by itself is seen without connect_timeout.
    if (drip_random_.chance(0.5)) return;
    return world_.agenda.after(kTransportLimit, [this, &call] { fail_now(call, timeout_error()); });
  }
  const Milliseconds limit = call.is_watch && call.watch.head_limit ? *call.watch.head_limit : kTransportLimit;
  if (limit.count() > 0) {
    world_.agenda.after(limit, [this, &call] {
      if (!call.answered) fail_now(call, timeout_error());
    });
  }
  world_.agenda.after(call.delay, [this, &call] { serve(call); });
}

std::size_t ApiServer::in_flight() const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin() + static_cast<std::ptrdiff_t>(first_alive_), calls_.end(), [this](const auto& call) {
        const bool open = call->is_watch && call->answered;
        return !call->gone && !open && !call->watch.poll && call->watch.name.empty() && !waits_for_head(*call);
      }));
}

void ApiServer::stop(const Client& client, RequestId id) {
  for (std::size_t i = first_alive_; i < calls_.size(); ++i) {
    if (calls_[i]->client == &client && calls_[i]->id == id) calls_[i]->gone = true;
  }
}

std::size_t ApiServer::count_running(const Client& client) const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin() + static_cast<std::ptrdiff_t>(first_alive_), calls_.end(),
                    [&](const auto& call) { return call->client == &client && !call->gone; }));
}

bool ApiServer::waits_for_head(const Call& call) const {
  return call.is_watch && !call.watch.websocket && !call.watch.send_initial_events && call.reached &&
         world_.agenda.now() >= call.begun + 1s;
}

bool ApiServer::follows_trial(const Call& call) const {
  return call.after_trial && !call.watch.websocket && world_.agenda.now() <= call.begun + 1s;
}

bool ApiServer::has_watch(const Client& client) const {
  return std::any_of(calls_.begin() + static_cast<std::ptrdiff_t>(first_alive_), calls_.end(), [&](const auto& call) {
    return call->client == &client && call->is_watch && call->watch.name.empty() && !call->gone &&
           (call->answered || waits_for_head(*call) || call->watch.poll || follows_trial(*call));
  });
}

bool ApiServer::is_sent(const Client& client, RequestId id) const {
  return std::any_of(calls_.begin() + static_cast<std::ptrdiff_t>(first_alive_), calls_.end(),
                     [&](const auto& call) { return call->client == &client && call->id == id && call->reached; });
}

// ---- the network --------------------------------------------------------------------------------------------------

void ApiServer::arrive(Call& call, Input what) {
  if (call.closed || call.muted) return;
  if (call.withheld) return call.held.push_back(std::move(what));
  if (std::exchange(call.head_held, false)) pass_head(call);
  call.last_arrival = std::max(call.last_arrival, world_.agenda.now() + call.delay);
  world_.agenda.at(call.last_arrival, [&call, what = std::move(what)] {
    if (!call.gone && !call.blackholed) call.client->input(what);
  });
}

void ApiServer::arrive_last(Call& call, Input what) {
  call.withheld = false;
  for (Input& held : std::exchange(call.held, {})) arrive(call, std::move(held));
  arrive(call, [&call, what = std::move(what)](Reflector& reflector, Instant now) {
    if (std::exchange(call.gone, true)) return;
    what(reflector, now);
  });
  call.closed = true;
}

void ApiServer::fail(Call& call, const Error& error) {
  arrive_last(call, [&call, error](Reflector& reflector, Instant now) { report_failure(call, error, reflector, now); });
}

// Detected by the client itself, whatever the network does.
void ApiServer::fail_now(Call& call, const Error& error) {
  if (call.gone) return;
  call.closed = true;
  call.blackholed = true;
  call.client->input([&call, error](Reflector& reflector, Instant now) {
    if (!std::exchange(call.gone, true)) report_failure(call, error, reflector, now);
  });
}

void ApiServer::refuse(Call& call, int code, const char* reason, std::optional<Milliseconds> retry_after) {
  const Error error = http_error(code, retry_after);
  std::optional<json::ApiStatus> status;
  if (reason != nullptr) status = api_status(code, reason);
  if (code == 504) status->causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
  arrive_last(call, [this, &call, error, status](Reflector& reflector, Instant now) {
    // The watch of a refused successor continues, and may end before Retry-After.
    const bool overloaded = error.http_status == 429 || error.http_status == 503;
    if (overloaded && error.retry_after && count_running(*call.client) == 0)
      call.client->note_retry_after(*error.retry_after);
    if (call.is_watch) {
      reflector.on_watch_failed(call.id, error, status, now);
    } else {
      reflector.on_list_failed(call.id, error, status, now);
    }
  });
}

// ---- waits that never end -------------------------------------------------------------------------------------------

Drip ApiServer::draw_drip() {
  if (world_.quiet || !drip_random_.chance(world_.scenario.drips)) return Drip::none;
  constexpr std::array kinds{Drip::connecting, Drip::head, Drip::body, Drip::body};
  return kinds[drip_random_.below(kinds.size())];
}

// From its begin to its end, as the table of waits in CONFIGURATION.md has it.
Milliseconds ApiServer::limit_of(const Call& call) const {
  constexpr Milliseconds kUnsent = 150s;
  constexpr Milliseconds kProbe = 6s;
  constexpr Milliseconds kHandshake = 24s;
  constexpr Milliseconds kInitialHead = 3s;
  // 2.5 times the interval of the bookmarks.
  constexpr Milliseconds kLateHead = 180s;
  const Options& options = world_.scenario.options;
  if (!call.is_watch) return call.drip == Drip::head ? kTransportLimit : options.initial_timeout;
  if (!call.watch.name.empty()) return kProbe;
  if (call.drip == Drip::connecting) return kUnsent;
  const Milliseconds whole = call.watch.timeout + 5s;
  Milliseconds head = options.events ? std::max(kUnsent, whole) : kLateHead;
  if (call.watch.websocket) {
    head = options.transport == WatchTransport::automatic ? kHandshake : kTransportLimit;
  } else if (call.watch.send_initial_events) {
    head = kInitialHead;
  } else if (call.watch.poll) {
    head = whole;
  }
  if (call.drip == Drip::head) return head;
  const bool initial = call.watch.send_initial_events;
  return std::max(head, 2 * call.delay + (initial ? std::min<Milliseconds>(30s, options.initial_timeout) : whole));
}

void ApiServer::expect_end(Call& call, Instant by) {
  world_.agenda.at(by + 1ms, [this, &call] {
    if (call.gone) return;
    if (call.client->awake_at() > world_.agenda.now()) return expect_end(call, call.client->awake_at());
    throw InvariantViolation(call.client->describe() + ": request " + std::to_string(call.id) +
                             " drips for longer than its limit");
  });
}

TestObject ApiServer::next_drip() {
  const std::string name = "drip-" + std::to_string(++dripped_);
  return {name, name, "1", world_.scenario.watch_cache ? "Pod" : "Event"};
}

// An object a second: pages without end, or one of them.
void ApiServer::drip_list(Call& call) {
  call.answered = true;
  if (call.list.continue_token.empty() && drip_random_.chance(0.5)) return drip_items(call);
  json::ListMeta meta;
  meta.kind = world_.scenario.watch_cache ? "PodList" : "EventList";
  meta.resource_version = std::to_string(world_.etcd.revision());
  world_.agenda.after(1s, [this, &call, meta]() mutable {
    const TestObject object = next_drip();
    meta.continue_token = object.name;
    arrive_last(call, [&call, object, meta](Reflector& reflector, Instant now) {
      reflector.on_list_item(call.id, object.item(), now);
      reflector.on_list_end(call.id, meta, now);
    });
  });
}

void ApiServer::drip_items(Call& call) {
  if (call.gone || call.closed) return;
  arrive(call, [&call, object = next_drip()](Reflector& reflector, Instant now) {
    reflector.on_list_item(call.id, object.item(), now);
  });
  world_.agenda.after(1s, [this, &call] { drip_items(call); });
}

void ApiServer::drip_initial_events(Call& call) {
  if (call.gone || call.closed) return;
  arrive(call, [&call, object = next_drip()](Reflector& reflector, Instant now) {
    reflector.on_watch_event(call.id, json::EventType::added, object.item(), now);
  });
  world_.agenda.after(1s, [this, &call] { drip_initial_events(call); });
}

// ---- replicas -----------------------------------------------------------------------------------------------------

void ApiServer::put(std::size_t name) {
  world_.etcd.put(name, world_.agenda.now());
  replicate();
}

void ApiServer::remove(std::size_t name) {
  world_.etcd.remove(name, world_.agenda.now());
  replicate();
}

void ApiServer::bump(Revision by) {
  world_.etcd.bump(by);
  replicate();
}

void ApiServer::compact() {
  world_.etcd.compact(world_.etcd.revision() - static_cast<Revision>(world_.random.below(5)));
}

void ApiServer::replicate() {
  const Revision revision = world_.etcd.revision();
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    Replica& replica = replicas_[i];
    replica.next_apply = std::max(replica.next_apply, world_.agenda.now() + replica.lag);
    world_.agenda.at(replica.next_apply, [this, i, revision] { reach(i, revision); });
  }
}

void ApiServer::reach(std::size_t index, Revision revision) {
  Replica& replica = replicas_[index];
  if (!replica.up || revision <= replica.revision) return;
  replica.revision = revision;
  const std::size_t next = world_.etcd.first_after(revision);
  if (next > world_.scenario.window) {
    replica.window_start =
        std::max(replica.window_start, world_.etcd.log()[next - world_.scenario.window - 1].revision);
  }
  for (std::size_t i = first_alive_; i < calls_.size(); ++i) {
    Call& call = *calls_[i];
    if (call.attached && !call.closed && !call.gone && call.replica == index) send_changes(call, revision);
  }
}

void ApiServer::restart_replica() {
  const std::size_t index = world_.random.below(replicas_.size());
  Replica& replica = replicas_[index];
  if (!std::exchange(replica.up, false)) return;
  for (std::size_t i = first_alive_; i < calls_.size(); ++i) {
    if (calls_[i]->attached && calls_[i]->replica == index) cut(*calls_[i]);
  }
  world_.agenda.after(world_.random.between(0ms, 8s), [this, index] {
    Replica& back = replicas_[index];
    back.up = true;
    back.revision = back.window_start = world_.etcd.revision();
  });
}

void ApiServer::change_lag() {
  replicas_[world_.random.below(replicas_.size())].lag = world_.random.between(0ms, world_.scenario.max_lag);
}

// ---- faults -----------------------------------------------------------------------------------------------------

void ApiServer::cut(Call& call) {
  if (call.gone || call.closed) return;
  fail(call, unreachable_error());
}

void ApiServer::end(Call& call) {
  arrive_last(call, [&call](Reflector& reflector, Instant now) { reflector.on_watch_end(call.id, now); });
}

// The server closes after an ERROR event, but the client should not wait for that.
void ApiServer::error_event(Call& call, int code, const char* reason) {
  arrive(call, [&call, status = api_status(code, reason)](Reflector& reflector, Instant now) {
    reflector.on_watch_error_event(call.id, status, now);
  });
  end(call);
}

void ApiServer::send_bad_event(Call& call) {
  arrive(call, [&call](Reflector& reflector, Instant now) {
    reflector.on_watch_bad_event(call.id, protocol_error(), {false, true}, now);
  });
}

void ApiServer::send_garbage(Call& call) {
  fail(call, protocol_error());
}

void ApiServer::send_other_type(Call& call) {
  arrive(call, [&call](Reflector& reflector, Instant now) {
    const TestObject other{"other", "other", "999999999", "Other"};
    reflector.on_watch_event(call.id, json::EventType::added, other.item(), now);
  });
}

void ApiServer::send_old_event(Call& call) {
  const std::vector<Change>& log = world_.etcd.log();
  // Initial events come in any order, so that an old one is not recognizable.
  if (call.initial_target != 0) return;
  if (log.size() < 2 || call.cursor <= log.front().revision) return;
  send_change(call, world_.random.below(std::min(world_.etcd.first_after(call.cursor - 1), log.size() - 1)));
}

void ApiServer::send_old_bookmark(Call& call) {
  const std::string version = std::to_string(call.cursor - 1);
  arrive(call, [&call, version](Reflector& reflector, Instant now) {
    reflector.on_watch_bookmark(call.id, version, false, now);
  });
}

void ApiServer::send_empty_bookmark(Call& call) {
  arrive(call, [&call](Reflector& reflector, Instant now) { reflector.on_watch_bookmark(call.id, "", false, now); });
}

void ApiServer::repeat_last_event(Call& call) {
  const std::size_t next = world_.etcd.first_after(call.cursor);
  if (next > 0 && world_.etcd.log()[next - 1].revision == call.cursor) send_change(call, next - 1);
}

// Inputs of a request that has ended must be ignored.
void ApiServer::send_after_end() {
  if (first_alive_ == 0) return;
  Call& call = *calls_[world_.random.below(first_alive_)];
  const std::size_t which = world_.random.below(6);
  call.client->input([&call, which](Reflector& reflector, Instant now) {
    const TestObject late{"late", "late", "999999999"};
    json::ListMeta meta;
    meta.resource_version = "999999999";
    switch (which) {
      case 0:
        return reflector.on_list_item(call.id, late.item(), now);
      case 1:
        return reflector.on_list_end(call.id, meta, now);
      case 2:
        return reflector.on_watch_event(call.id, json::EventType::added, late.item(), now);
      case 3:
        return reflector.on_watch_bookmark(call.id, "999999999", true, now);
      case 4:
        return reflector.on_watch_open(call.id, now);
      default:
        return reflector.on_watch_failed(call.id, unreachable_error(), std::nullopt, now);
    }
  });
}

void ApiServer::blackhole_all(Milliseconds time) {
  blackholed_until_ = world_.agenda.now() + time;
  for (std::size_t i = first_alive_; i < calls_.size(); ++i) calls_[i]->blackholed = true;
}

void ApiServer::blackhole_requests_of(const Client& client, double chance) {
  for (std::size_t i = first_alive_; i < calls_.size(); ++i) {
    if (calls_[i]->client == &client && world_.random.chance(chance)) calls_[i]->blackholed = true;
  }
}

void ApiServer::stop_faults() {
  const Instant now = world_.agenda.now();
  for (Instant* until : {&out_until_, &blackholed_until_, &overloaded_until_, &forbidden_until_, &unknown_until_}) {
    *until = now;
  }
  watches_to_close_ = 0;
  list_fault_ = ListFault::none;
}

Call* ApiServer::random_call(bool open_watch) {
  std::vector<Call*> found;
  for (std::size_t i = first_alive_; i < calls_.size(); ++i) {
    Call& call = *calls_[i];
    if (!call.gone && !call.closed && (!open_watch || (call.attached && call.answered))) found.push_back(&call);
  }
  return found.empty() ? nullptr : found[world_.random.below(found.size())];
}

}  // namespace ksr::sync::testing

#include "simulation/client.hpp"

#include <cstdlib>
#include <utility>

#include "base/resource_version.hpp"
#include "simulation/api_server.hpp"
#include "store/changes.hpp"

namespace ksr::sync::testing {

using namespace std::chrono_literals;

namespace {

// After a failure the wait is 800 ms at least, and twice as long the next time; in between come the few retries without
// delay of the protocol: a list at the most recent state, the other transport, new credentials, the next name, the
// watch after the list.
constexpr Milliseconds kRateWindow = 10s;
constexpr std::size_t kMaxRequestsInWindow = 20;
// While nothing succeeds: 0.8, 1.6, 3.2, 6.4, 12.8 s at least, and the few retries without delay.
constexpr Milliseconds kOutageWindow = 30s;
constexpr std::size_t kMaxTriesInOutage = 12;

}  // namespace

Client::Client(World& world, ApiServer& server, std::shared_ptr<ServerState> server_state, std::size_t number)
    : world_(world),
      server_(server),
      number_(number),
      logger_(world),
      reflector_(world.scenario.options, *this, std::move(server_state), world.random, logger_) {
  expected_.fill(Etcd::kNone);
}

void Client::start() {
  input([](Reflector& reflector, Instant now) { reflector.start(now); });
}

void Client::cancel() {
  if (cancelled_) return;
  world_.trace(describe() + " cancel");
  inside_ = true;
  reflector_.cancel();
  inside_ = false;
  cancelled_ = true;
  expect(!listing_, "cancel left a list staged");
  expect(server_.count_running(*this) == 0, "cancel left a request running");
}

void Client::sleep(Instant until) {
  awake_at_ = until;
  world_.agenda.at(until, [this] {
    world_.trace(describe() + " wakes");
    quiet_until_ = Instant();
    input([](Reflector& reflector, Instant now) { reflector.on_clock_jump(now); });
  });
}

void Client::input(const std::function<void(Reflector&, Instant)>& what) {
  if (world_.agenda.now() < awake_at_) {
    world_.agenda.at(awake_at_, [this, what] { input(what); });
    return;
  }
  expect(!inside_, "an input within an input");
  inside_ = true;
  what(reflector_, world_.agenda.now());
  inside_ = false;
  if (cancelled_) return;
  expect(reflector_.state() == state_, "state() differs from the last on_state");
  if (state_ == State::live) expect(server_.has_watch(*this), "LIVE without a watch");
  expect(server_.count_running(*this) <= 2, "more requests at once than a watch and its successor");
  const bool waits = state_ == State::waiting;
  expect(waits == reflector_.next_try_at().has_value(), "WAITING and next_try_at do not agree");
  if (state_ == State::live) live_at_ = version_;
  check_fresh();
  if (cache_.changed()) plan_delivery();
}

void Client::plan_delivery() {
  if (std::exchange(delivery_planned_, true)) return;
  world_.agenda.after(world_.random.between(0ms, 300ms), [this] {
    delivery_planned_ = false;
    if (!cancelled_ && cache_.changed()) deliver();
  });
}

void Client::deliver() {
  store::Cut cut = cache_.cut();
  const store::Deltas deltas(cut.changes, cut.view);
  check_deltas(deltas, cut.view);
  check_view(cut.view);
}

void Client::check_deltas(const store::Deltas& deltas, const store::View& view) {
  for (std::size_t i = 0; i < deltas.count(); ++i) {
    const store::Object& object = *deltas.object_at(i);
    const std::string uid(object.uid());
    const std::string version(object.resource_version());
    const auto known = host_.find(uid);
    switch (deltas.kind_at(i)) {
      case store::DeltaKind::added:
        expect(known == host_.end(), "ADDED for a known uid");
        host_.emplace(uid, version);
        break;
      case store::DeltaKind::modified:
        expect(known != host_.end(), "MODIFIED for an unknown uid");
        expect(compare_resource_versions(known->second, version).value_or(0) < 0, "an object went back");
        known->second = version;
        break;
      case store::DeltaKind::deleted:
        expect(known != host_.end(), "DELETED for an unknown uid");
        host_.erase(known);
        break;
    }
  }
  expect(host_.size() == view.count(), "the deltas do not add up to the snapshot");
  for (const auto& [uid, version] : host_) {
    const store::Object* object = view.find_uid(uid);
    expect(object != nullptr && object->resource_version() == version, "the deltas do not add up to the snapshot");
  }
}

void Client::check_view(const store::View& view) {
  const Revision version = std::strtoll(std::string(view.resource_version()).c_str(), nullptr, 10);
  expect(version >= expected_version_, "a snapshot's resourceVersion went back");
  expected_version_ = version;
  expected_next_ = world_.etcd.advance(expected_, expected_next_, version);
  std::size_t count = 0;
  for (const std::size_t change : expected_) {
    if (change == Etcd::kNone) continue;
    ++count;
    const TestObject& object = world_.etcd.log()[change].object;
    const store::Object* held = view.find_uid(object.uid);
    expect(held != nullptr && held->resource_version() == object.version,
           "the snapshot is not the server's state at its resourceVersion");
  }
  expect(count == view.count(), "the snapshot holds more than the server had at its resourceVersion");
}

bool Client::converged() const {
  const std::vector<Change>& log = world_.etcd.log();
  return cancelled_ || log.empty() || live_at_ >= log.back().revision;
}

std::string Client::describe() const {
  return "stream " + std::to_string(number_);
}

void Client::expect(bool holds, const char* what) const {
  if (!holds) throw InvariantViolation(describe() + ": " + what);
}

void Client::effect(const char* what) const {
  if (world_.traces()) world_.trace(describe() + " " + what);
  expect(!cancelled_, "an effect after cancel");
  expect(inside_, "an effect outside of an input");
}

// ---- requests -----------------------------------------------------------------------------------------------------

void Client::count_request(bool continues) {
  if (continues) return;
  expect(world_.agenda.now() >= quiet_until_, "a request before Retry-After");
  check_rate(recent_requests_, kRateWindow, kMaxRequestsInWindow);
  check_rate(tries_in_a_row_, kOutageWindow, kMaxTriesInOutage);
}

void Client::check_rate(std::deque<Instant>& times, Milliseconds window, std::size_t most) {
  const Instant now = world_.agenda.now();
  while (!times.empty() && times.front() <= now - window) times.pop_front();
  times.push_back(now);
  expect(times.size() <= most, "more requests than the policy allows");
}

void Client::start_list(RequestId id, const ListRequest& request) {
  effect(world_.traces() ? ("list " + std::to_string(id) + " at \"" + request.resource_version + "\" continue \"" +
                            request.continue_token + "\"")
                               .c_str()
                         : "");
  expect(id > last_id_, "a request id came twice");
  last_id_ = id;
  count_request(!request.continue_token.empty());
  server_.begin_list(*this, id, request);
}

void Client::start_watch(RequestId id, const WatchRequest& request) {
  effect(world_.traces() ? ("watch " + std::to_string(id) + " at \"" + request.resource_version + "\"" +
                            (request.send_initial_events ? " with initial events" : "") +
                            (request.websocket ? " by WebSocket" : ""))
                               .c_str()
                         : "");
  expect(id > last_id_, "a request id came twice");
  expect(request.send_initial_events || !request.resource_version.empty(), "a watch without resourceVersion");
  last_id_ = id;
  count_request(false);
  server_.begin_watch(*this, id, request);
}

void Client::stop(RequestId id) {
  effect("stop");
  server_.stop(*this, id);
}

bool Client::is_sent(RequestId id) const {
  return server_.is_sent(*this, id);
}

void Client::refresh_credentials() {
  effect("refresh credentials");
  credentials_ = server_.newest_credentials();
}

void Client::set_timer(std::optional<Instant> at) {
  expect(!cancelled_, "a timer after cancel");
  ++timer_;
  if (!at) return;
  world_.agenda.at(*at, [this, armed = timer_] {
    if (armed == timer_) input([](Reflector& reflector, Instant now) { reflector.on_timer(now); });
  });
}

// ---- the cache ----------------------------------------------------------------------------------------------------

void Client::begin_list() {
  effect("begin list");
  expect(!listing_, "a list began inside a list");
  listing_ = true;
  cache_.begin_list();
}

void Client::stage(const json::Item& item) {
  effect("stage");
  expect(listing_, "staged without a list");
  cache_.stage(item);
}

std::size_t Client::commit_list(std::string_view resource_version) {
  effect("commit list");
  expect(listing_, "committed without a list");
  note_version(resource_version);
  listing_ = false;
  return cache_.commit_list(resource_version);
}

void Client::abandon_list() {
  effect("abandon list");
  listing_ = false;
  cache_.abandon_list();
}

store::Applied Client::apply(json::EventType type, const json::Item& item) {
  effect("apply");
  expect(cache_.synced(), "applied an event before the first list");
  return cache_.apply(type, item);
}

void Client::set_resource_version(std::string_view resource_version) {
  effect("set resourceVersion");
  note_version(resource_version);
  cache_.set_resource_version(resource_version);
}

void Client::note_version(std::string_view version) {
  const Revision revision = std::strtoll(std::string(version).c_str(), nullptr, 10);
  expect(revision >= version_, "the resourceVersion went back");
  version_ = revision;
}

// ---- notifications
// ---------------------------------------------------------------------------------------------------------

void Client::on_state(State state) {
  effect(world_.traces() ? ("state " + std::to_string(static_cast<int>(state))).c_str() : "");
  expect(!has_state_ || state != state_, "on_state without a change");
  expect(state != State::closed, "the reflector set CLOSED");
  has_state_ = true;
  state_ = state;
  if (state != State::live) return;
  expect(cache_.synced(), "LIVE before the first list");
  expect(server_.has_watch(*this), "LIVE without a watch");
}

void Client::on_error(const Error& error, std::optional<Milliseconds> next_try) {
  effect(world_.traces() ? ("error " + error.message).c_str() : "");
  expect(next_try.has_value(), "gave up");
  expect(!error.message.empty(), "an error without a message");
}

// A view that is claimed to be current as of a moment must hold what was written before it, except what may have been
// in transit then.
void Client::check_fresh() {
  if (reflector_.fresh_at() == fresh_at_) return;
  fresh_at_ = reflector_.fresh_at();
  expect(fresh_at_ && *fresh_at_ <= world_.agenda.now(), "fresh in the future");
  const Revision required =
      world_.etcd.revision_before(*fresh_at_ - world_.scenario.max_delay - world_.scenario.max_lag);
  if (world_.traces()) {
    world_.trace(describe() + " claims to be fresh: holds " + std::to_string(version_) + ", must hold " +
                 std::to_string(required));
  }
  expect(required <= version_, "fresh_at is later than what the view holds");
}

}  // namespace ksr::sync::testing

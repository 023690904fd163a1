#include "simulation/client.hpp"

#include <cstdlib>
#include <utility>

#include "simulation/api_server.hpp"

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

// Of watches and of discovery, between two lists.
constexpr Milliseconds kOtherWaits = 600s;
// With more streams they wait for each other.
constexpr std::size_t kMaxAtOnce = 10;

// Streams that share one view.
constexpr std::size_t kMaxStreams = 6;
constexpr std::size_t kMaxEnded = 3;
constexpr Milliseconds kSlowest = 300ms;
constexpr Milliseconds kVerySlow = 20s;

}  // namespace

Client::Client(World& world, ApiServer& server, std::shared_ptr<ServerState> server_state, std::size_t number)
    : world_(world),
      server_(server),
      number_(number),
      logger_(world),
      reflector_(world.scenario.options, *this, std::move(server_state), world.random, logger_),
      sharing_random_(world.scenario.seed ^ (number << 32)) {
  add_stream();
}

void Client::start() {
  told_at_ = world_.agenda.now();
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
  while (!streams_.empty()) end_stream(streams_.size() - 1);
  for (const auto& stream : ended_) stream->check_end();
}

void Client::sleep(Instant until) {
  awake_at_ = until;
  world_.agenda.at(until, [this] {
    world_.trace(describe() + " wakes");
    quiet_until_ = Instant();
    told_at_ = world_.agenda.now();
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
  expect(server_.count_running(*this) <= 3, "more requests at once than a watch, its successor and a probe");
  const bool waits = state_ == State::waiting;
  expect(waits == reflector_.next_try_at().has_value(), "WAITING and next_try_at do not agree");
  if (state_ == State::live) live_at_ = version_;
  check_limits();
  check_fresh();
  change_streams();
  plan_deliveries();
}

// Each wait has its limit, and so has the row of them until the view is current again or an error is told: the requests
// that may follow each other without one, and the place among the requests to the server before each.
void Client::check_limits() const {
  const Instant now = world_.agenda.now();
  expect(!listing_ || now <= list_by_, "a list takes longer than initial_timeout");
  if (state_ == State::live || state_ == State::waiting || world_.scenario.streams > kMaxAtOnce) return;
  expect(now <= told_at_ + 2 * world_.scenario.options.initial_timeout + kOtherWaits,
         "the view is not current for long, and no error was told");
}

// ---- the streams that share the view ------------------------------------------------------------------------------

// The first one stays, since the last one out would end the watch; and the course of the reflector is the same with and
// without the others.
void Client::change_streams() {
  if (world_.scenario.sharing == 0 || !sharing_random_.chance(world_.scenario.sharing)) return;
  const double roll = sharing_random_.unit();
  if (roll < 0.4 || streams_.size() == 1) return add_stream();
  const std::size_t i = 1 + sharing_random_.below(streams_.size() - 1);
  if (roll < 0.7) return end_stream(i);
  streams_[i]->show_latest();
}

void Client::add_stream() {
  if (streams_.size() == kMaxStreams) return;
  const Milliseconds slowest = streams_made_ > 0 && sharing_random_.chance(0.3) ? kVerySlow : kSlowest;
  const std::string name = describe() + "." + std::to_string(streams_made_++);
  world_.trace(name + " comes");
  streams_.push_back(std::make_shared<SharedStream>(world_, name, view_, slowest));
}

void Client::end_stream(std::size_t i) {
  const std::shared_ptr<SharedStream> stream = streams_[i];
  streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(i));
  stream->end();
  ended_.push_back(stream);
  if (ended_.size() <= kMaxEnded) return;
  ended_.front()->check_end();
  ended_.erase(ended_.begin());
}

void Client::plan_deliveries() {
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const std::shared_ptr<SharedStream>& stream = streams_[i];
    if (stream->delivery_planned || !stream->has_news()) continue;
    stream->delivery_planned = true;
    SeededRandom& random = i == 0 ? world_.random : sharing_random_;
    world_.agenda.after(random.between(0ms, stream->slowest()), [this, stream] {
      stream->delivery_planned = false;
      if (!cancelled_ && !stream->ended()) stream->deliver();
    });
  }
}

void Client::deliver_all() {
  for (const auto& stream : streams_) stream->deliver_all();
}

bool Client::synced() {
  return view_->write([](const store::Cache& cache) { return cache.synced(); });
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
  if (!request.name.empty()) return server_.begin_probe(*this, id, request);
  count_request(false);
  server_.begin_watch(*this, id, request, std::exchange(last_was_trial_, request.trial));
}

void Client::stop(RequestId id) {
  effect("stop");
  server_.stop(*this, id);
}

bool Client::is_sent(RequestId id) const {
  return server_.is_sent(*this, id);
}

bool Client::refresh_credentials() {
  effect("refresh credentials");
  credentials_ = server_.newest_credentials();
  return true;
}

// As stream::Engine does.
bool Client::resolve_again() {
  effect("resolve again");
  const Instant now = world_.agenda.now();
  if (resolved_again_at_ && now - *resolved_again_at_ < 30s) return false;
  resolved_again_at_ = now;
  // Discovery as a whole.
  const Milliseconds slowest = world_.scenario.drips > 0 ? 120s : 5s;
  world_.agenda.after(world_.random.between(0ms, slowest), [this] {
    const std::optional<std::size_t> names =
        world_.random.chance(0.5) ? std::optional(world_.scenario.options.candidates) : std::nullopt;
    input([names](Reflector& reflector, Instant at) { reflector.on_resolved(names, at); });
  });
  return true;
}

void Client::ask_newest_version(std::size_t) {
  effect("ask for the newest version");
  // One that drips has no answer either.
  if (!world_.random.chance(0.7)) return;
  const std::string newest = std::to_string(world_.etcd.revision());
  world_.agenda.after(world_.random.between(0ms, 5s), [this, newest] {
    if (!cancelled_) input([newest](Reflector& reflector, Instant now) { reflector.on_newest_version(newest, now); });
  });
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
  list_by_ = world_.agenda.now() + world_.scenario.options.initial_timeout;
  view_->write([&](store::Cache& cache) { cache.begin_list(); });
  change_streams();
}

void Client::stage(const json::Item& item) {
  effect("stage");
  expect(listing_, "staged without a list");
  view_->write([&](store::Cache& cache) { cache.stage(item); });
  change_streams();
}

void Client::stage_deletion(const json::Item& item) {
  effect("stage deletion");
  expect(listing_, "staged without a list");
  view_->write([&](store::Cache& cache) { cache.stage_deletion(item); });
  change_streams();
}

std::size_t Client::commit_list(std::string_view resource_version, store::Precedence precedence) {
  effect("commit list");
  expect(listing_, "committed without a list");
  note_version(resource_version);
  listing_ = false;
  return view_->write([&](store::Cache& cache) { return cache.commit_list(resource_version, {}, precedence); });
}

void Client::abandon_list() {
  effect("abandon list");
  listing_ = false;
  view_->write([](store::Cache& cache) { cache.abandon_list(); });
}

store::Applied Client::apply(json::EventType type, const json::Item& item, std::string_view version) {
  effect("apply");
  expect(synced(), "applied an event before the first list");
  if (!version.empty()) note_version(version);
  return view_->write([&](store::Cache& cache) { return cache.apply(type, item, version); });
}

void Client::set_resource_version(std::string_view resource_version) {
  effect("set resourceVersion");
  note_version(resource_version);
  view_->write([&](store::Cache& cache) { cache.set_resource_version(resource_version); });
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
  if (state_ == State::live || state_ == State::waiting) told_at_ = world_.agenda.now();
  state_ = state;
  if (state != State::live) return;
  expect(synced(), "LIVE before the first list");
  expect(server_.has_watch(*this), "LIVE without a watch");
}

void Client::on_error(const Error& error, std::optional<Milliseconds> next_try) {
  effect(world_.traces() ? ("error " + error.message).c_str() : "");
  told_at_ = world_.agenda.now();
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

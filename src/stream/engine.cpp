#include "stream/engine.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/exception_error.hpp"
#include "base/text.hpp"
#include "base/thread_check.hpp"
#include "sync/failure.hpp"

namespace ksr::stream {
namespace {

// The shortest wait of a session after the 404 that followed the last time.
constexpr Milliseconds kResolveAgainAfter{30'000};

std::int64_t in_milliseconds(std::optional<Instant> at) {
  if (!at) return Statistics::kNever;
  return std::chrono::duration_cast<Milliseconds>(at->time_since_epoch()).count();
}

void set(Count& count, std::uint64_t value) {
  count.store(value, std::memory_order_relaxed);
}

// The state of the stream is that of the session which needs the most until it is live.
int urgency(sync::State state) {
  switch (state) {
    case sync::State::waiting:
      return 3;
    case sync::State::connecting:
      return 2;
    case sync::State::listing:
      return 1;
    default:
      return 0;
  }
}

// The statistic `transport`.
std::uint64_t number_of(sync::WatchTransport transport) {
  switch (transport) {
    case sync::WatchTransport::automatic:
      return 0;
    case sync::WatchTransport::websocket:
      return 1;
    case sync::WatchTransport::http:
      return 2;
  }
  return 0;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

const char* name_of(sync::WatchTransport transport) noexcept {
  switch (transport) {
    case sync::WatchTransport::websocket:
      return "websocket";
    case sync::WatchTransport::http:
      return "http";
    default:
      return "auto";
  }
}

// Events have no watch cache (kube-apiserver, registry/core/rest/storage_core.go): a list of them comes from etcd,
// whole.
bool has_events(const std::vector<cluster::Resource>& resources) {
  return std::any_of(resources.begin(), resources.end(), [](const cluster::Resource& resource) {
    return resource.plural == "events" &&
           (resource.root == "/api/v1" || resource.root.rfind("/apis/events.k8s.io/", 0) == 0);
  });
}

std::string description(const Config& config) {
  const std::string namespaces = one_line(joined(config.query.namespaces));
  return "stream of " + one_line(joined(config.query.resources)) + ": " +
         (namespaces.empty() ? "all namespaces" : "namespace " + namespaces) +
         (config.query.shard ? ", shard " + config.query.shard->text() : "") +
         (config.limit > 0 ? ", limit " + std::to_string(config.limit) : "") + ", transport " +
         name_of(config.sync.transport);
}

}  // namespace

Engine::Engine(EngineParts parts)
    : parts_(std::move(parts)), backoff_(parts_.config.sync.backoff_initial, parts_.config.sync.backoff_max) {}

Engine::~Engine() = default;

template <class Step>
void Engine::guarded(Step&& step) {
  try {
    step();
  } catch (...) {
    on_lost(error_of_exception());
  }
}

void Engine::start() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  if (cancelled_) return;
  note_started();
  guarded([this] {
    log_line(subscribers_, LogLevel::info, [this] { return description(parts_.config); });
    publish_state();
    resolve();
  });
}

// Those that are there learn of everything as it comes.
void Engine::note_started() noexcept {
  if (std::exchange(started_, true)) return;
  for (Subscriber& subscriber : subscribers_.list()) subscriber.informed = true;
}

void Engine::add(Subscribers::List& node) {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  Subscriber& added = node.front();
  subscribers_.add(node);
  inform(added);
}

void Engine::remove(Subscribers::List& node, Subscribers::List::iterator subscriber) noexcept {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  subscribers_.remove(node, subscriber);
}

// In the order in which those learned of it that were there: what is in the view, the state, what is wrong.
void Engine::inform(Subscriber& subscriber) noexcept {
  if (!started_ || subscriber.informed) return;
  try {
    delivery::CallbackDispatcher& dispatcher = *subscriber.dispatcher;
    log_line(dispatcher, LogLevel::info,
             [this] { return description(parts_.config) + "; it shares the list, watch and cache of another stream"; });
    subscriber.last_error->set(published_error_);
    if (synced_) {
      dispatcher.mark_synced();
      dispatcher.post_update();
    }
    if (published_state_) dispatcher.post_state(*published_state_);
    if (const auto report = subscriber.last_error->get(parts_.executor.now())) dispatcher.post_error(*report);
    // It came when a fatal error was on its way to the others.
    if (over_) dispatcher.end();
    subscriber.informed = true;
  } catch (...) {
    // rearm() tries again.
  }
}

void Engine::cancel() noexcept {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  cancelled_ = true;
  resolving_.cancel();
  version_fetch_.reset();
  retry_.reset();
  try {
    for (const auto& session : sessions_) session->cancel();
  } catch (...) {
    // There is no memory to end them in order. This is a task of its own: none of them is on the call stack.
    sessions_.clear();
  }
}

void Engine::on_clock_jump() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  if (cancelled_) return;
  if (sessions_.empty()) {
    guarded([this] {
      retry_.reset();
      version_fetch_.reset();
      resolve();
    });
  }
  for (const auto& session : sessions_) session->on_clock_jump();
}

void Engine::on_lost(const Error& error) {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  if (cancelled_) return;
  // The task that was to start it may be what was lost.
  note_started();
  if (sessions_.empty()) {
    resolving_.cancel();
    version_fetch_.reset();
    return on_unresolved(error);
  }
  resolving_.cancel();
  resolving_again_ = false;
  for (const auto& session : sessions_) session->on_lost(error);
}

void Engine::rearm() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  for (Subscriber& subscriber : subscribers_.list()) inform(subscriber);
  if (cancelled_) return;
  for (const auto& session : sessions_) session->rearm();
}

void Engine::resolve() {
  if (std::exchange(resolve_again_at_, std::nullopt)) {
    publish_statistics();
    publish_state();
  }
  resolving_ = parts_.access->resolve(parts_.config.query, [this](Expected<std::vector<cluster::Resource>> found) {
    KSR_ASSERT_ON_THREAD(parts_.executor);
    guarded([&] { on_resolved(std::move(found)); });
  });
}

void Engine::on_resolved(Expected<std::vector<cluster::Resource>> resources) {
  if (const Error* error = resources.if_error()) return on_unresolved(*error);
  resources_ = std::move(resources).value();
  credentials_retried_ = false;
  server_state_ = parts_.server_states.of(*parts_.access);
  ask_version();
}

void Engine::ask_version() {
  sync::Options& options = parts_.config.sync;
  options.events = has_events(resources_);
  if (!options.page_size && options.events) options.page_size = sync::kPageSize;
  if (options.page_size || options.initial == sync::Initial::watchlist || server_state_->version_known()) {
    return run_sessions();
  }
  version_fetch_ = std::make_unique<VersionFetch>(
      parts_.executor, *parts_.access, server_version_request(), kMaxServerVersion,
      parts_.config.connection.request_timeout, [this](const std::optional<cluster::FetchedAnswer>& answer) {
        guarded([&] {
          if (answer) {
            const ServerVersion version = server_version_in(*answer);
            server_state_->note_version(version.major, version.minor);
          }
          const std::unique_ptr<VersionFetch> done = std::move(version_fetch_);
          run_sessions();
        });
      });
}

void Engine::on_unresolved(const Error& error) {
  // As after a 401 of a list: once with new credentials, which discovery has asked for.
  if (error.http_status == 401 && !std::exchange(credentials_retried_, true)) {
    retry_ = parts_.executor.schedule(parts_.executor.now(), [this] { guarded([this] { resolve(); }); });
    return;
  }
  ++resolve_errors_;
  const Error reported = error.within("resolving resource " + one_line(joined(parts_.config.query.resources)));
  // A mistake of the caller stays one, and so does a request that can never succeed; any other error may pass.
  const bool never =
      error.status == Status::invalid || sync::recovery_for({}, error, std::nullopt) == sync::RecoveryAction::give_up;
  if (never || !parts_.config.sync.reconnect) {
    publish_statistics();
    report_unresolved(reported, std::nullopt);
    return on_fatal();
  }
  const Milliseconds delay = std::max(backoff_.next(*parts_.random), error.retry_after.value_or(Milliseconds(0)));
  const Instant again_at = parts_.executor.now() + delay;
  retry_ = parts_.executor.schedule(again_at, [this] { guarded([this] { resolve(); }); });
  resolve_again_at_ = again_at;
  publish_statistics();
  publish_state();
  report_unresolved(reported, delay);
}

void Engine::report_unresolved(const Error& error, std::optional<Milliseconds> next_try) {
  resolve_error_ = current_error(error, next_try, parts_.executor.now());
  // The host may read it in its on_error.
  publish_last_error();
  subscribers_.post_error({error, next_try});
}

void Engine::run_sessions() {
  sync::Options options = parts_.config.sync;
  options.candidates = resources_.size();
  options.shard = parts_.config.query.shard;
  options.resource = joined(parts_.config.query.resources);
  const SessionParts shared{parts_.executor, *parts_.random, parts_.config, *parts_.access,
                            resources_,      *parts_.view,   subscribers_,  *parts_.statistics};
  std::vector<std::string> namespaces = parts_.config.query.namespaces;
  // The namespace of the context does not apply to a cluster-scoped resource.
  if (namespaces.empty() || resources_.front().namespaced == false) namespaces = {std::string()};
  SessionOwner& owner = *this;
  std::vector<std::unique_ptr<Session>> sessions;
  sessions.reserve(namespaces.size());
  for (std::string& name_space : namespaces) {
    sessions.push_back(std::make_unique<Session>(owner, shared, std::move(name_space), options, server_state_));
  }
  sessions_ = std::move(sessions);
  for (const auto& session : sessions_) session->start();
}

// ---- the sessions combined ------------------------------------------------------------------------------------------

void Engine::on_session_state() {
  if (cancelled_) return;
  publish_statistics();
  // Until then it is what keeps the stream from being live.
  if (combined_state() == sync::State::live) resolve_error_.reset();
  publish_last_error();
  publish_state();
}

void Engine::on_session_counters() {
  publish_statistics();
  publish_last_error();
}

void Engine::on_session_synced() {
  // The host reads them once it is synced.
  publish_statistics();
  const bool all =
      std::all_of(sessions_.begin(), sessions_.end(), [](const auto& session) { return session->synced(); });
  if (!all) return;
  synced_ = true;
  subscribers_.mark_synced();
}

void Engine::on_fatal() {
  publish_statistics();
  cancelled_ = true;
  over_ = true;
  subscribers_.end();
  // A reflector is on the call stack and must not be called back.
  parts_.executor.post([engine = shared_from_this()] { engine->cancel(); });
}

bool Engine::resolve_again() {
  if (cluster::are_full_names(parts_.config.query.resources)) return false;
  if (resolving_again_) return true;
  const Instant now = parts_.executor.now();
  if (resolved_again_at_ && now - *resolved_again_at_ < kResolveAgainAfter) return false;
  resolving_ =
      parts_.access->resolve_again(parts_.config.query, [this](Expected<std::vector<cluster::Resource>> found) {
        KSR_ASSERT_ON_THREAD(parts_.executor);
        guarded([&] { on_resolved_again(std::move(found)); });
      });
  resolved_again_at_ = now;
  return resolving_again_ = true;
}

// Where it fails, the sessions go on with what was known: that they report, and the names are looked up again with
// their next try. So they do where the scope is another one, for which there would have to be other sessions.
void Engine::on_resolved_again(Expected<std::vector<cluster::Resource>> resources) {
  resolving_again_ = false;
  const std::string what = "resolving resource " + one_line(joined(parts_.config.query.resources)) + " again";
  if (const Error* error = resources.if_error()) {
    log_line(subscribers_, LogLevel::info, [&] { return error->within(what).text(); });
  }
  const bool changed =
      resources && *resources != resources_ && resources->front().namespaced == resources_.front().namespaced;
  if (changed) {
    log_line(subscribers_, LogLevel::notice, [&] { return what + ": it is " + resources->front().display + " now"; });
    resources_ = std::move(resources).value();
  }
  for_each_despite_exceptions(sessions_, [&](const std::unique_ptr<Session>& session) {
    if (!cancelled_) session->on_resolved(changed);
  });
}

void Engine::publish_state() {
  const sync::State state = combined_state();
  if (published_state_ == state) return;
  published_state_ = state;
  parts_.statistics->state.store(state, std::memory_order_relaxed);
  subscribers_.post_state(state);
}

// That of the session which needs the most until it is live, among those that have one.
void Engine::publish_last_error() {
  const Session* worst = nullptr;
  for (const auto& session : sessions_) {
    if (!session->current_error()) continue;
    if (worst == nullptr || urgency(worst->state()) < urgency(session->state())) worst = session.get();
  }
  published_error_ = worst != nullptr ? worst->current_error() : resolve_error_;
  subscribers_.set_last_error(published_error_);
}

sync::State Engine::combined_state() const {
  if (resolve_again_at_) return sync::State::waiting;
  if (sessions_.empty()) return sync::State::connecting;
  const auto worst = std::max_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
    return urgency(a->state()) < urgency(b->state());
  });
  return (*worst)->state();
}

void Engine::publish_statistics() {
  sync::Counters sum;
  std::optional<Instant> fresh_at;
  std::optional<Instant> next_try_at = resolve_again_at_;
  bool all_fresh = !sessions_.empty();
  std::uint64_t transport = 0;
  std::size_t divided = 0;
  bool undivided = false;
  for (const auto& session : sessions_) {
    const sync::Counters& counters = session->counters();
    sum.events += counters.events;
    sum.bookmarks += counters.bookmarks;
    sum.lists += counters.lists;
    sum.watches += counters.watches;
    sum.reconnects += counters.reconnects;
    sum.relists += counters.relists;
    sum.errors += counters.errors;
    transport = std::max(transport, number_of(session->transport()));
    divided += session->shard_by_server().value_or(false) ? 1 : 0;
    undivided = undivided || !session->shard_by_server().value_or(true);
    // The stream is as fresh as its stalest session.
    const std::optional<Instant> fresh = session->fresh_at();
    all_fresh = all_fresh && fresh.has_value();
    if (fresh && (!fresh_at || *fresh < *fresh_at)) fresh_at = fresh;
    const std::optional<Instant> next = session->next_try_at();
    if (next && (!next_try_at || *next < *next_try_at)) next_try_at = next;
  }
  Statistics& statistics = *parts_.statistics;
  set(statistics.events, sum.events);
  set(statistics.bookmarks, sum.bookmarks);
  set(statistics.lists, sum.lists);
  set(statistics.watches, sum.watches);
  set(statistics.reconnects, sum.reconnects);
  set(statistics.relists, sum.relists);
  set(statistics.errors, sum.errors + resolve_errors_);
  set(statistics.transport, transport);
  const bool by_server = divided > 0 && divided == sessions_.size();
  set(statistics.shard_by_server, by_server ? 1 : 0);
  if (by_server || undivided) tell_shard(by_server);
  set(statistics.headlamp_reloads, parts_.access->reloads());
  statistics.fresh_at.store(all_fresh ? in_milliseconds(fresh_at) : Statistics::kNever, std::memory_order_relaxed);
  statistics.next_try_at.store(in_milliseconds(next_try_at), std::memory_order_relaxed);
}

void Engine::tell_shard(bool by_server) noexcept {
  if (std::exchange(shard_by_server_, by_server) == by_server) return;
  log_line(subscribers_, LogLevel::notice, [&] {
    return "shard " + parts_.config.query.shard->text() + " of " + one_line(joined(parts_.config.query.resources)) +
           (by_server ? ": the server sends its objects alone"
                      : ": the server sends all objects (the feature gate ShardedListAndWatch is off, or it is older "
                        "than 1.36); those of the other shards are left out here");
  });
}

}  // namespace ksr::stream

#include "stream/session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/exception_error.hpp"
#include "base/text.hpp"
#include "base/thread_check.hpp"
#include "protobuf/schema.hpp"
#include "stream/list_call.hpp"
#include "stream/watch_call.hpp"

namespace ksr::stream {
namespace {

constexpr const char* kList = "list";
constexpr const char* kWatch = "watch";

// Of the answer that says the newest version: the metadata of one object.
constexpr std::size_t kMaxNewest = 8UL * 1024 * 1024;
constexpr Milliseconds kWebsocketPingInterval{30'000};
constexpr Milliseconds kWebsocketPongTimeout{15'000};

// A handshake is given up early where another transport can be tried. The head of a watch over HTTP has the reflector's
// limit, unless request_timeout was made shorter than it is by default.
Milliseconds head_limit(const sync::WatchRequest& request, Milliseconds request_timeout) {
  if (!request.head_limit) return request_timeout;
  const bool has_limit = request_timeout.count() > 0;
  if (request.head_limit->count() == 0) {
    return has_limit && request_timeout < cluster::kDefaultRequestTimeout ? request_timeout : Milliseconds(0);
  }
  return has_limit ? std::min(request_timeout, *request.head_limit) : *request.head_limit;
}

std::unique_ptr<json::FieldFilter> field_filter(const Config& config) {
  if (config.fields.empty()) return nullptr;
  return std::make_unique<json::FieldFilter>(config.fields, config.reader.max_object_size, config.limit > 0);
}

}  // namespace

Session::Session(SessionOwner& owner, const SessionParts& parts, std::string name_space, const sync::Options& options,
                 std::shared_ptr<sync::ServerState> memory)
    : owner_(owner),
      parts_(parts),
      name_space_(std::move(name_space)),
      fields_(field_filter(parts.config)),
      reflector_(options, *this, std::move(memory), parts.random, parts.subscribers) {}

Session::~Session() = default;

void Session::start() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  reflector_.start(now());
}

void Session::cancel() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  reflector_.cancel();
  for (auto& [id, call] : calls_) call->stop();
  page_ahead_.reset();
  version_fetch_.reset();
  timer_.reset();
}

template <class Step>
void Session::guarded(Step&& step) {
  try {
    step();
  } catch (...) {
    on_lost(error_of_exception());
  }
}

void Session::on_clock_jump() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  guarded([this] { reflector_.on_clock_jump(now()); });
}

void Session::on_lost(const Error& error) {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  // The reflector is over, and repeats nothing.
  if (failing_) return fail(current_error_ ? current_error_->error : error);
  reflector_.on_exception(error, now());
  flush();
}

void Session::rearm() {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  guarded([this] { reflector_.rearm(); });
}

void Session::on_resolved(bool changed) {
  KSR_ASSERT_ON_THREAD(parts_.executor);
  if (changed) candidate_ = 0;
  guarded([&] {
    reflector_.on_resolved(changed ? std::optional(parts_.resources.size()) : std::nullopt, now());
    flush();
  });
}

// ---- requests -------------------------------------------------------------------------------------------------------

void Session::start_list(sync::RequestId id, const sync::ListRequest& request) {
  candidate_ = request.candidate;
  page_ = request;
  transport::Request wire = list_request(request);
  json::ReaderOptions reader = parts_.config.reader;
  reader.item_kind = parts_.config.query.metadata_only ? "" : parts_.resources[request.candidate].kind;
  auto call = std::make_unique<ListCall>(as_call_owner(), id, context(kList), reader, fields_.get(), reflector_);
  auto ahead = std::exchange(page_ahead_, nullptr);
  page_was_ahead_ = ahead != nullptr && ahead->can_serve(wire);
  if (!page_was_ahead_) return run(id, std::move(call), std::move(wire), false);
  ListCall& started = *call;
  calls_.emplace(id, std::move(call));
  started.take(parts_.access, std::move(ahead));
}

transport::Request Session::list_request(const sync::ListRequest& request) const {
  transport::Request wire;
  wire.target = cluster::list_target(parts_.resources[request.candidate], parts_.config.query, name_space_, request);
  wire.headers.push_back(
      {"Accept", cluster::list_accept(parts_.config.query, accepted(request.candidate, request.protobuf))});
  wire.response_timeout = parts_.config.connection.request_timeout;
  wire.idle_timeout = parts_.config.connection.request_timeout;
  wire.accept_gzip = true;
  return wire;
}

// The page at hand is taken from the connection while the server makes the next one.
void Session::on_next_page(std::string_view continue_token) {
  if (no_more_ahead_) return;
  page_ahead_ = std::make_unique<PageAhead>(parts_.executor, parts_.access,
                                            list_request(sync::following_page(page_, continue_token)));
}

void Session::start_watch(sync::RequestId id, const sync::WatchRequest& request) {
  candidate_ = request.candidate;
  transport::Request wire;
  wire.target = cluster::watch_target(parts_.resources[request.candidate], parts_.config.query, name_space_, request);
  wire.long_running = true;
  const cluster::Accepted encodings = accepted(request.candidate, request.protobuf);
  wire.headers.push_back({"Accept", cluster::watch_accept(parts_.config.query, encodings)});
  wire.response_timeout = head_limit(request, parts_.config.connection.request_timeout);
  wire.ping_interval = kWebsocketPingInterval;
  wire.pong_timeout = kWebsocketPongTimeout;
  run(id,
      std::make_unique<WatchCall>(as_call_owner(), id, context(kWatch), parts_.config.reader, fields_.get(), request,
                                  encodings, reflector_),
      std::move(wire), request.websocket);
}

// Where discovery was not asked, the kind is not known; what the server answers then decides.
cluster::Accepted Session::accepted(std::size_t candidate, bool protobuf) const {
  if (!protobuf) return cluster::Accepted::json;
  if (parts_.config.sync.encoding == sync::Encoding::protobuf) return cluster::Accepted::protobuf;
  if (parts_.config.query.metadata_only) return cluster::Accepted::both;
  const cluster::Resource& resource = parts_.resources[candidate];
  const std::string version = cluster::api_version_of(resource);
  const bool known = resource.kind.empty() ? protobuf::knows_version(version) : protobuf::knows(version, resource.kind);
  return known ? cluster::Accepted::both : cluster::Accepted::json;
}

void Session::run(sync::RequestId id, std::unique_ptr<Call> call, transport::Request request, bool websocket) {
  Call& started = *call;
  calls_.emplace(id, std::move(call));
  started.start(parts_.access, std::move(request), websocket);
}

void Session::stop(sync::RequestId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const bool followed = calls_.size() > 1;
  found->second->log_stop(followed ? ": the next watch has taken over" : "");
  found->second->stop();
  retire(id);
}

// With one object: without any a server may not look. Without selectors, where that is allowed: for one that matches
// nothing the server may read all there is.
void Session::ask_newest_version(std::size_t candidate) {
  sync::ListRequest newest;
  newest.candidate = candidate;
  newest.limit = 1;
  cluster::QueryOptions query = parts_.config.query;
  query.metadata_only = true;
  if (!asks_with_selectors_) {
    query.label_selector.clear();
    query.field_selector.clear();
    query.shard.reset();
  }
  transport::Request wire;
  wire.target = cluster::list_target(parts_.resources[candidate], query, name_space_, newest);
  wire.headers.push_back({"Accept", cluster::list_accept(query, cluster::Accepted::json)});
  version_fetch_ = std::make_unique<VersionFetch>(
      parts_.executor, parts_.access, std::move(wire), kMaxNewest, parts_.config.connection.request_timeout,
      [this](const std::optional<cluster::FetchedAnswer>& answer) {
        const std::unique_ptr<VersionFetch> done = std::move(version_fetch_);
        if (!answer) return;
        if (answer->head.status == 403) asks_with_selectors_ = true;
        guarded([&] {
          reflector_.on_newest_version(listed_version_in(*answer), now());
          flush();
        });
      });
}

bool Session::is_sent(sync::RequestId id) const {
  const auto found = calls_.find(id);
  return found != calls_.end() && found->second->is_sent();
}

bool Session::is_stalled(sync::RequestId id, Milliseconds time) const {
  const auto found = calls_.find(id);
  return found != calls_.end() && found->second->is_stalled(time);
}

void Session::retire(sync::RequestId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  retired_.push_back(std::move(found->second));
  calls_.erase(found);
  if (sweep_) return;
  sweep_ = parts_.executor.schedule(now(), [this] {
    retired_.clear();
    sweep_.reset();
  });
}

// Of a request under the resource's name that was requested last.
ErrorContext Session::context(const char* operation) const {
  return {operation, parts_.resources[candidate_].display, name_space_, parts_.access.server()};
}

void Session::set_timer(std::optional<Instant> at) {
  timer_.reset();
  if (!at) return;
  timer_ = parts_.executor.schedule(*at, [this] {
    guarded([this] {
      reflector_.on_timer(now());
      flush();
    });
  });
}

// ---- the cache ------------------------------------------------------------------------------------------------------

void Session::begin_list() {
  listing_ = {now(), 0, received_};
  parts_.view.write([&](store::Cache& cache) { cache.begin_list(name_space_); });
}

void Session::stage(const json::Item& item) {
  ++listing_.objects;
  parts_.view.write([&](store::Cache& cache) { cache.stage(item, name_space_); });
}

void Session::stage_deletion(const json::Item& item) {
  parts_.view.write([&](store::Cache& cache) { cache.stage_deletion(item, name_space_); });
}

std::size_t Session::commit_list(std::string_view resource_version, store::Precedence precedence) {
  page_ahead_.reset();
  page_was_ahead_ = false;
  const std::size_t changed = parts_.view.write(
      [&](store::Cache& cache) { return cache.commit_list(resource_version, name_space_, precedence); });
  log_listed(resource_version);
  unannounced_ += changed > 0 || !synced_ ? 1 : 0;
  if (!std::exchange(synced_, true)) owner_.on_session_synced();
  flush();
  return changed;
}

void Session::log_listed(std::string_view resource_version) noexcept {
  log_line(logger(), LogLevel::info, [&] {
    const auto took = std::chrono::duration_cast<Milliseconds>(now() - listing_.since);
    const std::string version = resource_version.empty() ? " without a resourceVersion"
                                                         : " at resourceVersion " + one_line(resource_version, 100);
    return context(kList).text() + ": " + std::to_string(listing_.objects) + " objects" + version + ", " +
           std::to_string(received_ - listing_.received_before) + " bytes in " + std::to_string(took.count()) + " ms";
  });
}

void Session::abandon_list() {
  page_ahead_.reset();
  no_more_ahead_ = no_more_ahead_ || page_was_ahead_;
  parts_.view.write([this](store::Cache& cache) { cache.abandon_list(name_space_); });
}

store::Applied Session::apply(json::EventType type, const json::Item& item, std::string_view version) {
  return parts_.view.write([&](store::Cache& cache) {
    // Nothing that follows throws: the event will not come again.
    const store::Applied applied = cache.apply(type, item, version, name_space_);
    const bool no_change = applied == store::Applied::stale || applied == store::Applied::absent;
    if (!no_change && cache.changed()) ++unannounced_;
    return applied;
  });
}

void Session::set_resource_version(std::string_view resource_version) {
  parts_.view.write([&](store::Cache& cache) { cache.set_resource_version(resource_version, name_space_); });
}

// ---- reports --------------------------------------------------------------------------------------------------------

void Session::on_state(sync::State state) {
  if (state == sync::State::live) current_error_.reset();
  if (state == sync::State::waiting) renew_next_try();
  owner_.on_session_state();
}

// A wait that follows no new error, as between the lists of a resource without a watch: once they succeed, that it has
// none is what is wrong.
void Session::renew_next_try() {
  const std::optional<Instant> at = reflector_.next_try_at();
  const Error* const no_watch = reflector_.no_watch();
  if ((!current_error_ && no_watch == nullptr) || !at) return;
  CurrentErrorRef renewed = stream::current_error(no_watch != nullptr ? *no_watch : current_error_->error,
                                                  std::chrono::duration_cast<Milliseconds>(*at - now()), now());
  if (renewed) current_error_ = std::move(renewed);
}

void Session::on_error(const Error& error, std::optional<Milliseconds> next_try) {
  failing_ = !next_try;
  // An error of a request has its context; one that the reflector found by itself does not.
  const Error reported = error.context ? error : error.within(context(reflector_.failed_in_list() ? kList : kWatch));
  // An object that was skipped stops nothing.
  const bool stops = !next_try || reflector_.state() == sync::State::waiting;
  if (stops) current_error_ = stream::current_error(reported, next_try, now());
  if (failing_) return fail(reported);
  // The host may read all of it in its on_error.
  owner_.on_session_counters();
  parts_.subscribers.post_error({reported, next_try});
}

// Where there is no memory for it, on_lost() tries again.
void Session::fail(const Error& error) {
  // What was received last comes before the end.
  announce();
  owner_.on_session_counters();
  parts_.subscribers.post_error({error, std::nullopt});
  failing_ = false;
  owner_.on_fatal();
}

void Session::count_bytes(std::size_t bytes) {
  received_ += bytes;
  parts_.statistics.bytes_received.fetch_add(bytes, std::memory_order_relaxed);
}

void Session::count_wire_bytes(std::size_t bytes) {
  parts_.statistics.wire_bytes.fetch_add(bytes, std::memory_order_relaxed);
}

void Session::note_encoding(bool protobuf) {
  parts_.statistics.encoding.store(protobuf ? 1 : 0, std::memory_order_relaxed);
}

void Session::announce() {
  if (unannounced_ > 0) parts_.subscribers.post_update(std::exchange(unannounced_, 0));
}

void Session::flush() {
  announce();
  owner_.on_session_state();
}

}  // namespace ksr::stream

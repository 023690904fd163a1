#include "support/rig.hpp"

#include <algorithm>

#include "store/changes.hpp"

namespace ksr::sync::testing {

Options plain() {
  Options options;
  options.initial = Initial::list;
  options.transport = WatchTransport::http;
  return options;
}

Rig::Rig(const Options& options, std::shared_ptr<ServerState> server_state)
    : reflector(options, *this, std::move(server_state), random, logger) {}

Rig::~Rig() = default;

void Rig::advance(Milliseconds time) {
  const Instant target = now + time;
  while (timer && *timer <= target) {
    now = std::max(now, *timer);
    timer.reset();
    reflector.on_timer(now);
  }
  now = target;
}

void Rig::end_list(const std::string& resource_version, const std::string& continue_token) {
  json::ListMeta meta;
  meta.kind = "PodList";
  meta.api_version = "v1";
  meta.resource_version = resource_version;
  meta.continue_token = continue_token;
  reflector.on_list_end(last().id, meta, now);
}

void Rig::list(const std::vector<TestObject>& objects, const std::string& resource_version,
               const std::string& continue_token) {
  for (const TestObject& object : objects) item(object);
  end_list(resource_version, continue_token);
}

void Rig::fail_list(const Error& error, const std::optional<json::ApiStatus>& status) {
  reflector.on_list_failed(last().id, error, status, now);
}

void Rig::event(RequestId id, json::EventType type, const TestObject& object) {
  reflector.on_watch_event(id, type, object.item(), now);
}

void Rig::bookmark(const std::string& resource_version, bool initial_events_end) {
  reflector.on_watch_bookmark(last().id, resource_version, initial_events_end, now);
}

void Rig::fail(const Error& error, const std::optional<json::ApiStatus>& status) {
  reflector.on_watch_failed(last().id, error, status, now);
}

void Rig::go_live(const std::vector<TestObject>& objects, const std::string& resource_version) {
  start();
  list(objects, resource_version);
  open();
}

std::size_t Rig::running() const {
  return static_cast<std::size_t>(
      std::count_if(requests.begin(), requests.end(), [](const SentRequest& request) { return !request.stopped; }));
}

std::string Rig::held() {
  const store::View view = cache.cut().view;
  std::string text;
  for (std::size_t i = 0; i < view.count(); ++i) {
    if (i > 0) text += ' ';
    text.append(view.at(i)->name()).append("=").append(view.at(i)->resource_version());
  }
  return text;
}

std::optional<Milliseconds> Rig::timer_in() const {
  if (!timer) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(*timer - now);
}

void Rig::start_list(RequestId id, const ListRequest& request) {
  requests.emplace_back();
  requests.back().id = id;
  requests.back().list = request;
}

void Rig::start_watch(RequestId id, const WatchRequest& request) {
  std::vector<SentRequest>& of_kind = request.name.empty() ? requests : probes;
  of_kind.emplace_back();
  of_kind.back().id = id;
  of_kind.back().is_watch = true;
  of_kind.back().watch = request;
}

void Rig::stop(RequestId id) {
  for (std::vector<SentRequest>* const of_kind : {&requests, &probes}) {
    for (SentRequest& request : *of_kind) {
      if (request.id == id) request.stopped = true;
    }
  }
}

void Rig::begin_list() {
  listing = true;
  cache.begin_list();
}

void Rig::abandon_list() {
  listing = false;
  cache.abandon_list();
}

std::size_t Rig::commit_list(std::string_view resource_version, store::Precedence precedence) {
  listing = false;
  version = resource_version;
  return cache.commit_list(resource_version, {}, precedence);
}

void Rig::on_error(const Error& error, std::optional<Milliseconds> next_try) {
  errors.push_back({error, next_try});
}

}  // namespace ksr::sync::testing

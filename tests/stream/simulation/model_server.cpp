#include "stream/simulation/model_server.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace ksr::stream::testing {

using namespace std::chrono_literals;

namespace {

struct ResourceName {
  const char* name;
  const char* plural;
  const char* kind;
};
constexpr std::array<ResourceName, ModelServer::kResources> kNames{
    ResourceName{"v1/pods", "/api/v1/pods", "Pod"}, ResourceName{"v1/configmaps", "/api/v1/configmaps", "ConfigMap"}};
// The revisions of the one resource are none of the other.
constexpr Revision kApart = 1'000'000;

std::string text_of(const sync::testing::TestObject& object) {
  return R"({"kind":")" + object.kind + R"(","apiVersion":"v1","metadata":{"name":")" + object.name +
         R"(","namespace":"default","uid":")" + object.uid + R"(","resourceVersion":")" + object.version + "\"}}";
}

std::string event(const char* type, const std::string& object) {
  return std::string(R"({"type":")") + type + R"(","object":)" + object + "}\n";
}

const char* type_name(json::EventType type) {
  return type == json::EventType::added ? "ADDED" : type == json::EventType::modified ? "MODIFIED" : "DELETED";
}

std::string parameter(const std::string& target, const std::string& name) {
  const std::size_t at = target.find(name + "=");
  if (at == std::string::npos) return "";
  const std::size_t begin = at + name.size() + 1;
  return target.substr(begin, target.find('&', begin) - begin);
}

std::string token_of(const transport::Request& request) {
  for (const transport::Header& header : request.headers) {
    if (header.name == "Authorization") return header.value.substr(std::string("Bearer ").size());
  }
  return "";
}

Error broken() {
  return Error{Status::transport, "the connection was reset", "", 502};
}

}  // namespace

ModelServer::ModelServer(SharingWorld& world, const FaultRates& rates) : world_(world), rates_(rates) {
  for (std::size_t i = 0; i < kResources; ++i) {
    stores_[i].etcd = std::make_unique<Etcd>(kNames[i].kind);
    stores_[i].etcd->bump(kApart * static_cast<Revision>(i));
    write(i, 1 + world_.random.below(15));
    stores_[i].served = etcd(i).revision();
  }
  world_.cluster.transport.serve = [this](const transport::Request& request, transport::ExchangeObserver& observer,
                                          const std::shared_ptr<const bool>& alive) {
    accept(request, observer, alive);
  };
}

ModelServer::~ModelServer() {
  world_.cluster.transport.serve = nullptr;
  // Their timers are tasks that hold them.
  for (const SentRef& sent : sent_) sent->timer.reset();
}

const char* ModelServer::resource_name(std::size_t resource) {
  return kNames[resource].name;
}

RequestClass ModelServer::class_of(const std::string& token, std::size_t resource) {
  return token + " " + kNames[resource].plural;
}

// ---- what happens in the cluster ------------------------------------------------------------------------------------

void ModelServer::write(std::size_t resource, std::size_t changes) {
  Store& store = stores_[resource];
  for (; changes > 0; --changes) {
    const std::size_t name = world_.random.below(Etcd::kNames);
    if (world_.random.chance(0.25)) {
      store.etcd->remove(name, world_.cluster.executor.now());
    } else {
      store.etcd->put(name, world_.cluster.executor.now());
    }
  }
  if (world_.random.chance(0.1)) store.etcd->bump(1 + static_cast<Revision>(world_.random.below(5)));
}

void ModelServer::catch_up(std::size_t resource) {
  stores_[resource].served = etcd(resource).revision();
  for (const SentRef& sent : sent_) {
    if (sent->resource == resource && sent->kind != Kind::list && sent->opened) post(sent, &ModelServer::send_changes);
  }
}

void ModelServer::compact(std::size_t resource) {
  world_.trace(std::string("server: ") + kNames[resource].name + " compacted");
  Store& store = stores_[resource];
  store.etcd->compact(store.served - static_cast<Revision>(world_.random.below(5)));
}

void ModelServer::disturb() {
  const SentRef sent = random_active();
  if (!sent) return;
  switch (world_.random.below(6)) {
    case 0:
      // What the others learn later.
      write(sent->resource, 1);
      stores_[sent->resource].served = etcd(sent->resource).revision();
      return post(sent, &ModelServer::send_error_event);
    case 1:
      trace(*sent, "silent from now on");
      sent->silent = true;
      return hang(sent, sent->opened ? sent->idle_limit : sent->head_limit);
    case 2:
      return world_.cluster.executor.post([this, sent] {
        const ksr::testing::WithMemory with_memory;
        end(sent, std::nullopt);
      });
    case 3:
      return world_.cluster.executor.post([this, sent] {
        const ksr::testing::WithMemory with_memory;
        if (sent->kind != Kind::list && sent->opened) send_events(sent, bookmark(*sent, false));
      });
    default:
      return world_.cluster.executor.post([this, sent] {
        const ksr::testing::WithMemory with_memory;
        end(sent, broken());
      });
  }
}

void ModelServer::begin_outage() {
  if (sent_.empty()) return;
  const auto place = std::next(sent_.begin(), static_cast<std::ptrdiff_t>(world_.random.below(sent_.size())));
  const RequestClass of = (*place)->request_class;
  const Outage outage{world_.cluster.executor.now() + world_.random.between(1s, 60s),
                      static_cast<int>(world_.random.below(5))};
  outages_[of] = outage;
  world_.trace("server: outage of kind " + std::to_string(outage.kind) + " for " + of);
  for (const SentRef& sent : sent_) {
    if (sent->request_class != of || !world_.random.chance(0.5)) continue;
    world_.cluster.executor.post([this, sent = sent] {
      const ksr::testing::WithMemory with_memory;
      end(sent, broken());
    });
  }
}

void ModelServer::stop_faults() {
  rates_ = FaultRates();
  outages_.clear();
}

// ---- requests -------------------------------------------------------------------------------------------------------

void ModelServer::accept(const transport::Request& request, transport::ExchangeObserver& observer,
                         const std::shared_ptr<const bool>& alive) {
  const std::string& target = request.target;
  const auto sent = std::make_shared<Sent>();
  const auto resource = std::find_if(kNames.begin(), kNames.end(), [&](const ResourceName& name) {
    return target.substr(0, target.find('?')) == name.plural;
  });
  world_.expect(resource != kNames.end(), "a request for something else: " + target);
  if (resource == kNames.end()) return;
  sent->resource = static_cast<std::size_t>(resource - kNames.begin());
  sent->request_class = class_of(token_of(request), sent->resource);
  if (parameter(target, "watch") == "true") {
    sent->kind = parameter(target, "sendInitialEvents") == "true" ? Kind::watchlist : Kind::watch;
    sent->selector = parameter(target, "fieldSelector");
    if (!sent->selector.empty()) sent->kind = Kind::probe;
  }
  sent->number = ++requests_;
  sent->observer = &observer;
  sent->alive = alive;
  sent->head_limit = request.response_timeout;
  sent->idle_limit = request.idle_timeout;
  sent->timeout = std::chrono::seconds(std::strtoll(parameter(target, "timeoutSeconds").c_str(), nullptr, 10));
  sent->version = std::strtoll(parameter(target, "resourceVersion").c_str(), nullptr, 10);
  sent->at_newest = sent->kind != Kind::watch && parameter(target, "resourceVersion").empty();
  sent->asks_version = sent->kind == Kind::list && parameter(target, "limit") == "1";
  const bool is_initial = sent->kind == Kind::list || sent->kind == Kind::watchlist;
  if (is_initial && !sent->asks_version) ++initial_requests_[sent->request_class];
  trace(*sent, target);
  sent_.push_back(sent);
  // At once, or after a while.
  if (world_.random.chance(0.6)) return post(sent, &ModelServer::answer);
  sent->timer =
      world_.cluster.executor.schedule(world_.cluster.executor.now() + world_.random.between(1ms, 800ms), [this, sent] {
        const ksr::testing::WithMemory with_memory;
        answer(sent);
      });
}

void ModelServer::answer(const SentRef& sent) {
  if (!sent->is_active() || sent->silent || is_refused(sent)) return;
  sent->kind == Kind::list ? send_list(sent) : open_watch(sent);
}

bool ModelServer::is_refused(const SentRef& sent) {
  const auto outage = outages_.find(sent->request_class);
  if (outage != outages_.end() && world_.cluster.executor.now() < outage->second.until) {
    refuse(sent, outage->second.kind);
    return true;
  }
  if (chance(rates_.refused)) {
    refuse(sent, static_cast<int>(world_.random.below(6)));
    return true;
  }
  if (!chance(rates_.hangs)) return false;
  trace(*sent, "is not answered");
  hang(sent, sent->head_limit);
  return true;
}

void ModelServer::refuse(const SentRef& sent, int kind) {
  constexpr std::array<int, 5> codes{503, 429, 403, 500, 503};
  if (kind >= static_cast<int>(codes.size())) return end(sent, broken());
  const int code = codes[static_cast<std::size_t>(kind)];
  trace(*sent, "refused with " + std::to_string(code));
  const std::string wait = code == 429 ? std::to_string(1 + world_.random.below(4)) : "";
  begin(sent, {code, "application/json", wait, {}});
  if (!sent->is_active()) return;
  feed(sent, R"({"kind":"Status","apiVersion":"v1","status":"Failure","message":"refused","code":)" +
                 std::to_string(code) + "}");
  end(sent, std::nullopt);
}

// The transport gives a request up whose limit is over.
void ModelServer::hang(const SentRef& sent, Milliseconds limit) {
  sent->silent = true;
  if (limit.count() == 0) return;
  world_.cluster.executor.post([this, sent, limit] {
    const ksr::testing::WithMemory with_memory;
    if (!sent->is_active()) return;
    sent->timer = world_.cluster.executor.schedule(world_.cluster.executor.now() + limit, [this, sent] {
      const ksr::testing::WithMemory in_timer;
      end(sent, Error{Status::timeout, "no answer came in time", "", 408});
    });
  });
}

// ---- lists ----------------------------------------------------------------------------------------------------------

void ModelServer::send_list(const SentRef& sent) {
  const Store& store = stores_[sent->resource];
  const Revision at = sent->at_newest ? store.etcd->revision() : std::max(store.served, sent->version);
  std::string body = std::string(R"({"kind":")") + kNames[sent->resource].kind +
                     R"(List","apiVersion":"v1","metadata":{"resourceVersion":")" + std::to_string(at) +
                     R"("},"items":[)";
  std::size_t items = 0;
  for (const std::size_t change : store.etcd->state_at(at)) {
    if (change == Etcd::kNone) continue;
    body += (items++ > 0 ? "," : "") + text_of(store.etcd->log()[change].object);
  }
  trace(*sent, "answered: " + std::to_string(items) + " objects at " + std::to_string(at));
  sent->opened = true;
  begin(sent, {200, "application/json", "", {}});
  send_piece(sent, std::make_shared<const std::string>(body + "]}"), 0);
}

void ModelServer::send_piece(const SentRef& sent, const std::shared_ptr<const std::string>& body, std::size_t from) {
  if (!sent->is_active() || sent->silent) return;
  const std::string_view rest = std::string_view(*body).substr(from);
  const bool all = world_.random.chance(0.5);
  std::string_view piece = all ? rest : rest.substr(0, 1 + world_.random.below(rest.size()));
  const bool cut = chance(rates_.cut);
  if (cut) piece = piece.substr(0, world_.random.below(piece.size() + 1));
  feed(sent, piece);
  if (!sent->is_active()) return;
  if (cut) {
    trace(*sent, "cut after " + std::to_string(from + piece.size()) + " bytes");
    if (world_.random.chance(0.3)) return hang(sent, sent->idle_limit);
    return end(sent, world_.random.chance(0.3) ? std::nullopt : std::optional<Error>(broken()));
  }
  const std::size_t next = from + piece.size();
  if (next == body->size()) return end(sent, std::nullopt);
  world_.cluster.executor.post([this, sent, body, next] {
    const ksr::testing::WithMemory with_memory;
    send_piece(sent, body, next);
  });
}

// ---- watches --------------------------------------------------------------------------------------------------------

void ModelServer::open_watch(const SentRef& sent) {
  const Store& store = stores_[sent->resource];
  const bool expired = sent->kind == Kind::watch && sent->version < store.etcd->compacted();
  if (expired && world_.random.chance(0.5)) {
    trace(*sent, "410");
    begin(sent, {410, "application/json", "", {}});
    if (!sent->is_active()) return;
    feed(sent, R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Expired","code":410})");
    return end(sent, std::nullopt);
  }
  trace(*sent, "opened");
  sent->opened = true;
  begin(sent, {200, "application/json", "", {}});
  if (!sent->is_active()) return;
  if (sent->timeout.count() > 0) {
    sent->timer = world_.cluster.executor.schedule(world_.cluster.executor.now() + sent->timeout, [this, sent] {
      const ksr::testing::WithMemory with_memory;
      if (!sent->silent) end(sent, std::nullopt);
    });
  }
  if (expired) return send_error_event(sent);
  sent->position = sent->version;
  if (sent->kind == Kind::watch) return send_changes(sent);
  if (sent->kind == Kind::probe) return send_object(sent);
  sent->position = sent->at_newest ? store.etcd->revision() : std::max(store.served, sent->version);
  std::string events;
  for (const std::size_t change : store.etcd->state_at(sent->position)) {
    if (change != Etcd::kNone) events += event("ADDED", text_of(store.etcd->log()[change].object));
  }
  send_events(sent, events + bookmark(*sent, true));
}

void ModelServer::send_object(const SentRef& sent) {
  const Store& store = stores_[sent->resource];
  std::string events;
  for (const std::size_t change : store.etcd->state_at(store.served)) {
    if (change == Etcd::kNone || "metadata.name%3D" + store.etcd->log()[change].object.name != sent->selector) continue;
    events += event("ADDED", text_of(store.etcd->log()[change].object));
  }
  feed(sent, events);
}

void ModelServer::send_changes(const SentRef& sent) {
  if (sent->kind == Kind::probe) return;
  if (!sent->is_active() || sent->silent) return;
  std::string events = changes_for(*sent);
  if (!events.empty()) send_events(sent, std::move(events));
}

std::string ModelServer::changes_for(Sent& sent) const {
  const Store& store = stores_[sent.resource];
  std::string events;
  for (std::size_t i = store.etcd->first_after(sent.position); i < store.etcd->log().size(); ++i) {
    const sync::testing::Change& change = store.etcd->log()[i];
    if (change.revision > store.served) break;
    events += event(type_name(change.type), text_of(change.object));
  }
  sent.position = std::max(sent.position, store.served);
  return events;
}

void ModelServer::send_events(const SentRef& sent, std::string events) {
  if (!sent->is_active() || sent->silent) return;
  const bool cut = chance(rates_.cut);
  if (cut) events.resize(world_.random.below(events.size() + 1));
  trace(*sent, "events, " + std::to_string(events.size()) + " bytes" + (cut ? ", cut" : ""));
  feed(sent, events);
  if (cut && sent->is_active()) {
    if (world_.random.chance(0.3)) {
      sent->silent = true;
    } else {
      end(sent, world_.random.chance(0.4) ? std::nullopt : std::optional<Error>(broken()));
    }
  }
}

// Right after what has changed, in one read or in several.
void ModelServer::send_error_event(const SentRef& sent) {
  if (!sent->opened || sent->kind == Kind::list || !sent->is_active() || sent->silent) return;
  const bool gone = world_.random.chance(0.6);
  trace(*sent, gone ? "ERROR event 410" : "ERROR event 500");
  feed(sent, changes_for(*sent) +
                 event("ERROR", std::string(R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":")") +
                                    (gone ? R"(Expired","message":"too old resource version","code":410})"
                                          : R"(InternalError","message":"failed","code":500})")));
  end(sent, std::nullopt);
}

std::string ModelServer::bookmark(const Sent& sent, bool initial_events_end) const {
  return event("BOOKMARK",
               std::string(R"({"kind":")") + kNames[sent.resource].kind +
                   R"(","apiVersion":"v1","metadata":{"resourceVersion":")" + std::to_string(sent.position) + "\"" +
                   (initial_events_end ? R"(,"annotations":{"k8s.io/initial-events-end":"true"})" : "") + "}}");
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

// As they are read: in pieces of any size.
void ModelServer::feed(const SentRef& sent, std::string_view bytes) {
  for (int piece = world_.random.chance(0.5) ? 0 : 2; piece > 0 && bytes.size() > 1; --piece) {
    const std::size_t some = 1 + world_.random.below(bytes.size() - 1);
    world_.risk([&] { sent->observer->on_body(bytes.substr(0, some)); });
    if (!sent->is_active()) return;
    bytes.remove_prefix(some);
  }
  if (!bytes.empty()) world_.risk([&] { sent->observer->on_body(bytes); });
  if (sent->is_active()) world_.risk([&] { sent->observer->on_drained(); });
}

void ModelServer::begin(const SentRef& sent, const transport::ResponseHead& head) {
  world_.risk([&] { sent->observer->on_head(head); });
}

void ModelServer::end(const SentRef& sent, const std::optional<Error>& error) {
  if (!sent->is_active()) return;
  trace(*sent, error ? "ends: " + error->message : "ends");
  sent->ended = true;
  world_.risk([&] { sent->observer->on_end(error); });
}

void ModelServer::post(const SentRef& sent, void (ModelServer::*step)(const SentRef&)) {
  world_.cluster.executor.post([this, sent, step] {
    const ksr::testing::WithMemory with_memory;
    (this->*step)(sent);
  });
}

ModelServer::SentRef ModelServer::random_active() {
  std::vector<SentRef> active;
  for (const SentRef& sent : sent_) {
    if (sent->is_active() && !sent->silent) active.push_back(sent);
  }
  return active.empty() ? nullptr : active[world_.random.below(active.size())];
}

// ---- what is under way ----------------------------------------------------------------------------------------------

std::size_t ModelServer::lists_under_way(const RequestClass& of) const {
  return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), [&](const SentRef& sent) {
    return *sent->alive && sent->request_class == of && sent->kind == Kind::list && !sent->asks_version;
  }));
}

std::size_t ModelServer::questions_under_way(const RequestClass& of) const {
  return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), [&](const SentRef& sent) {
    return *sent->alive && sent->request_class == of && sent->asks_version;
  }));
}

std::size_t ModelServer::probes_under_way(const RequestClass& of) const {
  return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), [&](const SentRef& sent) {
    return *sent->alive && sent->request_class == of && sent->kind == Kind::probe;
  }));
}

std::size_t ModelServer::watches_under_way(const RequestClass& of) const {
  return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), [&](const SentRef& sent) {
    return *sent->alive && sent->request_class == of && (sent->kind == Kind::watch || sent->kind == Kind::watchlist);
  }));
}

std::size_t ModelServer::under_way() const {
  return static_cast<std::size_t>(
      std::count_if(sent_.begin(), sent_.end(), [](const SentRef& sent) { return *sent->alive; }));
}

std::size_t ModelServer::initial_requests(const RequestClass& of) const {
  const auto found = initial_requests_.find(of);
  return found == initial_requests_.end() ? 0 : found->second;
}

void ModelServer::remove_gone() {
  for (auto sent = sent_.begin(); sent != sent_.end();) {
    if (*(*sent)->alive) {
      ++sent;
    } else {
      (*sent)->timer.reset();
      sent = sent_.erase(sent);
    }
  }
}

void ModelServer::trace(const Sent& sent, const std::string& what) const {
  if (!world_.tracing) return;
  constexpr std::array<const char*, 4> kKinds{"list ", "watch ", "watchlist ", "probe "};
  const char* const kind = kKinds[static_cast<std::size_t>(sent.kind)];
  world_.trace("server: " + std::string(kind) + std::to_string(sent.number) + " of " + sent.request_class + ": " +
               what);
}

}  // namespace ksr::stream::testing

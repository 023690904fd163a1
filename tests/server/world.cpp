#include "server/world.hpp"

#include <zlib.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "server/connection.hpp"
#include "server/discovery.hpp"
#include "server/pod_stream.hpp"
#include "server/script.hpp"
#include "server/status.hpp"

namespace ksr::testserver {
namespace {

Reply text_reply(unsigned status, std::string body) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = std::move(body);
  return reply;
}

Reply empty_reply(unsigned status) {
  Reply reply;
  reply.status = status;
  reply.content_type.clear();
  return reply;
}

Reply told_reply(const Fault& fault) {
  Reply reply = status_reply(status_of_code(fault.status));
  reply.headers.insert(reply.headers.end(), fault.headers.begin(), fault.headers.end());
  if (fault.body) reply.body = *fault.body;
  return reply;
}

std::string gzipped(const std::string& body) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, static_cast<uLong>(body.size())) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

World::World(boost::asio::io_context& io, ServerOptions options)
    : io_(io),
      options_(std::move(options)),
      log_([this](const ResourceType& type, const Change& change) { notify_watches(type, change); }) {
  for (const Token& token : options_.tokens) access_.add_token(token);
  for (const Denial& denial : options_.denials) access_.deny(denial);
  if (!options_.tokens.empty() || options_.require_client_certificate) access_.require_authentication();
  if (options_.headlamp) headlamp_.emplace(*options_.headlamp);
  log_.set_window(options_.history_window);
  log_.advance_to(options_.first_revision);
}

World::Verdict World::judge(ApiRequest& request, const std::string& client_name) {
  Verdict verdict;
  std::string target = request.raw_target;
  const std::string& prefix = options_.path_prefix;
  const bool below_prefix = target.rfind(prefix, 0) == 0;
  if (below_prefix) target.erase(0, prefix.size());
  const bool is_script = target == "/_ksr/script";
  std::optional<Reply> kept_out;
  if (headlamp_ && below_prefix && !is_script) kept_out = headlamp_->pass(request, target);
  request.target = Target::parse(target);
  if (!options_.shards) request.target.forget("shardSelector");
  if (request.method == "POST" && request.target.path == "/_ksr/script") {
    verdict.script = true;
    return verdict;
  }
  const bool known = below_prefix && !kept_out && route(request, types_);
  requests_.push_back(
      {request.method, request.raw_target, request.headers, request.verb, request.websocket, client_name});
  const std::string plural = request.type != nullptr ? request.type->plural : "";
  verdict.fault = faults_.take({request.verb, plural, request.target.path, request.websocket});
  if (verdict.fault.action == FaultAction::answer) {
    verdict.reply = told_reply(verdict.fault);
  } else if (kept_out) {
    verdict.reply = std::move(kept_out);
  } else {
    verdict.reply = ordinary_reply(request, client_name, verdict.fault);
    if (!known && verdict.reply && verdict.reply->status != 401)
      verdict.reply = text_reply(404, "404 page not found\n");
  }
  if (headlamp_ && verdict.reply) headlamp_->announce_reload(*verdict.reply);
  return verdict;
}

std::optional<Reply> World::ordinary_reply(ApiRequest& request, const std::string& client_name, const Fault& fault) {
  try {
    if (std::optional<Reply> refused = refusal(request, client_name)) return refused;
    if (request.verb == "discovery") return discovery_document(request, types_, options_.aggregated_discovery);
    if (request.type == nullptr) {
      if (request.target.path != "/version") return text_reply(200, "ok");
      Reply version;
      version.body = R"({"major":"1","minor":"36","gitVersion":"v1.36.3"})";
      return version;
    }
    if (request.verb == "list") return list_objects(request, log_, fault);
    if (request.verb == "get") return get_object(request, log_);
    if (request.verb == "write") return write_object(request, log_);
    if (request.verb == "log" || request.verb == "stream") return subresource_refusal(request);
    return watch_refusal(request);
  } catch (const std::exception& problem) {
    return status_reply(bad_request(problem.what()));
  }
}

std::optional<Reply> World::refusal(ApiRequest& request, const std::string& client_name) {
  const std::optional<std::string> user = access_.authenticate(request, client_name);
  if (!user) return status_reply(status_of_code(401));
  request.user = *user;
  if (request.type == nullptr) return std::nullopt;
  const std::string verb = access_verb(request);
  if (request.verb == "log" || request.verb == "stream") {
    ResourceType subresource = *request.type;
    subresource.plural += "/" + request.subresource;
    // Since 1.35 a stream needs get and create over a WebSocket too.
    for (const char* needed : {"get", "create"}) {
      if (access_.allowed(*user, needed, subresource.plural, request.ns)) continue;
      if (request.verb == "log" && needed == std::string("create")) continue;
      return status_reply(forbidden(subresource, *user, needed, request.ns, request.name));
    }
    return std::nullopt;
  }
  if (access_.allowed(*user, verb, request.type->plural, request.ns)) return std::nullopt;
  return status_reply(forbidden(*request.type, *user, verb, request.ns, request.name));
}

std::optional<Reply> World::subresource_refusal(const ApiRequest& request) {
  if (log_.collection(*request.type).find(object_key(request.ns, request.name)) == nullptr) {
    return status_reply(not_found(*request.type, request.name));
  }
  if (request.verb == "stream") return choose_stream(request, streams_).refusal;
  if (auto refused = LogQuery::refusal(request)) return refused;
  const LogQuery query = LogQuery::of(request);
  if (request.target.flag("previous") && !logs_.holds(query.key)) {
    return status_reply(bad_request("previous terminated container in pod \"" + request.name + "\" not found"));
  }
  return std::nullopt;
}

// What x/net/websocket, which the apiserver uses, requires of a handshake; then the apiserver's own rules.
std::optional<Reply> World::watch_refusal(const ApiRequest& request) {
  if (const auto status = WatchFeed::refusal(request, log_, options_)) return status_reply(*status);
  if (!request.websocket) return std::nullopt;
  const std::string origin = request.header("Origin");
  if (origin.find("://") == std::string::npos) return empty_reply(403);
  if (request.subprotocols.size() > 1) return empty_reply(400);
  return std::nullopt;
}

std::optional<bool> World::take_request_cut(std::size_t received) {
  if (!request_cut_ || received < request_cut_->bytes) return std::nullopt;
  const bool reset = request_cut_->reset;
  request_cut_.reset();
  return reset;
}

void World::compress(const ApiRequest& request, Reply& reply) const {
  if (reply.status != 200 || reply.body.size() <= options_.gzip_above) return;
  for (const std::string& encoding : header_list(request.headers, "Accept-Encoding")) {
    if (encoding != "gzip") continue;
    reply.body = gzipped(reply.body);
    reply.headers.emplace_back("Content-Encoding", "gzip");
    return;
  }
}

void World::run_script(const std::string& lines, ScriptDone done) {
  Script::run(*this, lines, std::move(done));
}

void World::notify_watches(const ResourceType& type, const Change& change) {
  // A copy: a connection may end while it handles the change.
  const auto connections = connections_;
  for (const auto& connection : connections) {
    if (const auto feed = connection->watch()) feed->on_change(type, change);
  }
}

void World::append_log(const std::string& key, const LogEntry& entry) {
  logs_.at(key).entries.push_back(entry);
  const auto connections = connections_;
  for (const auto& connection : connections) connection->on_log(key, entry);
}

void World::reread_log(const std::string& key) {
  const auto entries = logs_.at(key).entries;
  const auto connections = connections_;
  for (const LogEntry& entry : entries) {
    for (const auto& connection : connections) connection->on_log(key, entry);
  }
}

void World::end_log(const std::string& key) {
  logs_.at(key).over = true;
  const auto connections = connections_;
  for (const auto& connection : connections) {
    if (connection->follows(key)) connection->end_log();
  }
}

void World::cut_log(const std::string& key, bool reset) {
  const auto connections = connections_;
  for (const auto& connection : connections) {
    if (connection->follows(key)) connection->close(reset);
  }
}

void World::forget(const Connection& connection) {
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& held) { return held.get() == &connection; });
  if (found != connections_.end()) connections_.erase(found);
}

void World::drop_connections(bool reset) {
  const auto dropped = connections_;
  for (const auto& connection : dropped) {
    if (!connection->runs_script()) connection->close(reset);
  }
}

std::size_t World::open_watches(const std::string& plural) const {
  return static_cast<std::size_t>(std::count_if(connections_.begin(), connections_.end(), [&](const auto& connection) {
    const auto feed = connection->watch();
    return feed != nullptr && (plural == "*" || feed->type().plural == plural);
  }));
}

void World::send_bookmarks(const std::string& plural) {
  const auto connections = connections_;
  for (const auto& connection : connections) {
    const auto feed = connection->watch();
    if (feed != nullptr && (plural == "*" || feed->type().plural == plural)) feed->bookmark();
  }
}

}  // namespace ksr::testserver

#include "server/headlamp.hpp"

#include <algorithm>

namespace ksr::testserver {
namespace {

constexpr std::string_view kUserProtocol = "base64url.headlamp.authorization.k8s.io.";
constexpr std::string_view kBackendProtocol = "base64url.headlamp.backend.authorization.k8s.io.";

// http.Error of Go.
Reply go_error(unsigned status, const std::string& text) {
  Reply reply;
  reply.status = status;
  reply.content_type = "text/plain; charset=utf-8";
  reply.body = text + "\n";
  return reply;
}

// Removes the subprotocol with that prefix from the request, and returns the rest of its name.
std::optional<std::string> take_protocol(std::vector<std::string>& protocols, std::string_view begin) {
  const auto found = std::find_if(protocols.begin(), protocols.end(),
                                  [&](const std::string& protocol) { return protocol.rfind(begin, 0) == 0; });
  if (found == protocols.end()) return std::nullopt;
  std::string rest = found->substr(begin.size());
  protocols.erase(found);
  return rest;
}

bool is_user_id(const std::string& id) {
  return !id.empty() && std::all_of(id.begin(), id.end(),
                                    [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

// The only value that the test server reads from a kubeconfig.
std::string token_in(const std::string& kubeconfig) {
  const std::string key = "token: ";
  const std::size_t at = kubeconfig.find(key);
  if (at == std::string::npos) return "";
  const std::size_t start = at + key.size();
  return kubeconfig.substr(start, kubeconfig.find_first_of(" ,}\n", start) - start);
}

// "/clusters/NAME/api/v1/pods" to NAME and "/api/v1/pods".
bool split_target(const std::string& target, std::string& cluster, std::string& rest) {
  const std::string begin = "/clusters/";
  if (target.rfind(begin, 0) != 0) return false;
  const std::size_t slash = target.find('/', begin.size());
  if (slash == std::string::npos || slash == begin.size()) return false;
  cluster = percent_decoded(target.substr(begin.size(), slash - begin.size()), false);
  rest = target.substr(slash);
  return true;
}

bool wants_websocket(const ApiRequest& request) {
  // Unlike other servers, Headlamp compares case-sensitively.
  return request.header("Upgrade") == "websocket";
}

// Split at ", " and nowhere else.
std::vector<std::string> protocols_of(const ApiRequest& request) {
  std::vector<std::string> protocols;
  std::string rest = request.header("Sec-WebSocket-Protocol");
  while (!rest.empty()) {
    const std::size_t end = rest.find(", ");
    protocols.push_back(rest.substr(0, end));
    rest = end == std::string::npos ? "" : rest.substr(end + 2);
  }
  return protocols;
}

}  // namespace

std::optional<Reply> HeadlampProxy::pass(ApiRequest& request, std::string& target) {
  request.subprotocols = protocols_of(request);
  if (!has_backend_token(request)) return go_error(403, "access denied");
  if (target.rfind("/drain-node", 0) == 0) {
    // Its own endpoint (backend/cmd/headlamp.go, handleNodeDrain), which the cluster does not see.
    Reply reply;
    reply.content_type = "application/json";
    reply.body = R"({"message":"Drain node request submitted successfully"})";
    return reply;
  }
  std::string cluster, rest;
  if (!split_target(target, cluster, rest)) return go_error(404, "404 page not found");
  const std::optional<std::string> key = context_key(request, cluster);
  if (!key) return go_error(400, "getting context key: parsing kubeconfig");
  Context* context = stateless(*key);
  const bool is_static =
      std::find(options_.clusters.begin(), options_.clusters.end(), cluster) != options_.clusters.end();
  // A WebSocket whose own context has expired falls back to the cluster's name.
  const bool by_name = is_static && (*key == cluster || wants_websocket(request));
  if (context == nullptr && !by_name) return go_error(404, "key not found");
  if (context != nullptr && !context->token.empty() && request.header("Authorization").empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + context->token);
  }
  target = rest;
  return std::nullopt;
}

bool HeadlampProxy::has_backend_token(ApiRequest& request) const {
  const std::optional<std::string> protocol = take_protocol(request.subprotocols, kBackendProtocol);
  if (options_.backend_token.empty()) return true;
  if (request.header("X-HEADLAMP_BACKEND-TOKEN") == options_.backend_token) return true;
  // base64url without padding.
  return protocol && *protocol == base64url(options_.backend_token);
}

std::optional<std::string> HeadlampProxy::context_key(ApiRequest& request, const std::string& cluster) {
  std::string key = cluster;
  const std::string kubeconfig = request.header("KUBECONFIG");
  if (!kubeconfig.empty()) {
    key += '\0' + request.header("X-HEADLAMP-USER-ID");
    if (!remember(key, kubeconfig)) return std::nullopt;
  }
  if (!wants_websocket(request)) return key;
  const std::optional<std::string> user = take_protocol(request.subprotocols, kUserProtocol);
  if (!user || !is_user_id(*user)) return cluster;
  return cluster + '\0' + *user;
}

// The first request gives a context its full lifetime, every later one a short one (ContextUpdateCacheTTL).
bool HeadlampProxy::remember(const std::string& key, const std::string& kubeconfig) {
  const std::optional<std::string> text = base64_decoded(kubeconfig);
  if (!text || text->find("apiVersion") == std::string::npos) return false;
  const bool known = stateless(key) != nullptr;
  contexts_[key] = {Clock::now() + (known ? options_.later_context_time : options_.first_context_time),
                    token_in(*text)};
  return true;
}

HeadlampProxy::Context* HeadlampProxy::stateless(const std::string& key) {
  const auto found = contexts_.find(key);
  if (found == contexts_.end() || found->second.expires_at <= Clock::now()) return nullptr;
  return &found->second;
}

void HeadlampProxy::announce_reload(Reply& reply) {
  if (!reload_is_due_) return;
  reload_is_due_ = false;
  reply.headers.emplace_back("X-Reload", "reload");
  reply.headers.emplace_back("Access-Control-Expose-Headers", "X-Reload");
}

}  // namespace ksr::testserver

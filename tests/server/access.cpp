#include "server/access.hpp"

#include <algorithm>

namespace ksr::testserver {
namespace {

constexpr std::string_view kBearerProtocol = "base64url.bearer.authorization.k8s.io.";

std::optional<std::string> take_bearer_protocol(std::vector<std::string>& protocols) {
  for (auto protocol = protocols.begin(); protocol != protocols.end(); ++protocol) {
    if (protocol->rfind(kBearerProtocol, 0) != 0) continue;
    const auto token = base64_decoded(std::string_view(*protocol).substr(kBearerProtocol.size()));
    protocols.erase(protocol);
    return token.value_or("");
  }
  return std::nullopt;
}

// The credentials in the Authorization header: a bearer token, or "user:password" of basic credentials.
std::optional<std::string> presented(const ApiRequest& request) {
  const std::string value = request.header("Authorization");
  if (value.empty()) return std::nullopt;
  const auto space = value.find(' ');
  const auto scheme = std::string_view(value).substr(0, space);
  const std::string rest = space == std::string::npos ? "" : value.substr(space + 1);
  if (equal_ignoring_case(scheme, "Bearer")) return rest;
  if (equal_ignoring_case(scheme, "Basic")) return base64_decoded(rest).value_or("");
  return "";
}

bool fits(const std::string& rule, const std::string& value) {
  return rule.empty() || rule == "*" || rule == value;
}

}  // namespace

void AccessRules::remove_token(const std::string& token) {
  tokens_.erase(
      std::remove_if(tokens_.begin(), tokens_.end(), [&](const Token& known) { return known.token == token; }),
      tokens_.end());
}

std::optional<std::string> AccessRules::user_of_token(const std::string& token) const {
  for (const auto& known : tokens_) {
    if (known.token == token) return known.user;
  }
  return std::nullopt;
}

std::optional<std::string> AccessRules::authenticate(ApiRequest& request, const std::string& certificate_user) const {
  const auto protocol_token = take_bearer_protocol(request.subprotocols);
  auto credential = presented(request);
  // authentication/request/websocket/protocol.go: the token's subprotocol is valid only with another one.
  if (!credential && protocol_token && request.subprotocols.empty()) return std::nullopt;
  if (!credential) credential = protocol_token;

  std::optional<std::string> user;
  if (!certificate_user.empty()) {
    user = certificate_user;
  } else if (credential && !(anonymous_allowed_ && tokens_.empty())) {
    user = user_of_token(*credential);
  } else if (anonymous_allowed_ && tokens_.empty()) {
    user = "system:anonymous";
  }
  const std::string impersonated = request.header("Impersonate-User");
  if (user && !impersonated.empty()) return impersonated;
  return user;
}

bool AccessRules::allowed(const std::string& user, const std::string& verb, const std::string& plural,
                          const std::string& ns) const {
  return std::none_of(denials_.begin(), denials_.end(), [&](const Denial& denial) {
    return fits(denial.user, user) && fits(denial.verb, verb) && fits(denial.resource, plural) && fits(denial.ns, ns);
  });
}

}  // namespace ksr::testserver

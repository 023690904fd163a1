#include "cluster/oidc_token.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "cluster/bounded_json.hpp"
#include "cluster/files.hpp"
#include "cluster/kubeconfig.hpp"

namespace ksr::cluster {
namespace {

// k8s.io/client-go/plugin/pkg/client/auth/oidc/oidc.go, expiryDelta.
constexpr std::chrono::seconds kExpiryDelta{10};
constexpr std::size_t kMaxClaimsMemory = std::size_t{1} << 20;
// Far from where a time point overflows.
constexpr std::int64_t kMaxSeconds = 253'402'300'799;

Error unusable(const OidcPlan& plan, const std::string& reason) {
  return {Status::auth,
          plan.role + ": " + reason +
              ", and libksr does not refresh it; expected one that kubectl or a login program has refreshed "
              "in the file, or an exec plugin (such as kubelogin) or a token in place of the auth-provider"};
}

std::string base64_of_url_form(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

std::optional<WallTime> expiry_of(const std::string& token) {
  const auto parts = split(token, '.');
  if (parts.size() != 3) return std::nullopt;
  const auto claims = base64_decode(base64_of_url_form(std::string(parts[1])));
  if (!claims) return std::nullopt;
  const auto value = parse_bounded_json(*claims, kMaxClaimsMemory);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* expiry = object == nullptr ? nullptr : object->if_contains("exp");
  if (expiry == nullptr || !expiry->is_number()) return std::nullopt;
  const double seconds = expiry->to_number<double>();
  if (!(seconds >= 0) || seconds > static_cast<double>(kMaxSeconds)) return std::nullopt;
  return WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

// Empty: there is none.
Expected<std::string> id_token_in_file(const OidcPlan& plan) {
  const auto text = read_kubeconfig_file({"kubeconfig", plan.kubeconfig});
  if (!text) return text.error();
  auto config = parse_kubeconfig(plan.kubeconfig, *text);
  if (!config) return config.error();
  const auto user = config->users.find(plan.user);
  return user == config->users.end() ? std::string() : user->second.id_token;
}

}  // namespace

Expected<Credentials> read_id_token(const OidcPlan& plan, WallTime now) {
  const auto found = plan.id_token.empty() ? id_token_in_file(plan) : Expected<std::string>(plan.id_token);
  if (!found) return found.error();
  const std::string& token = *found;
  if (token.empty()) return unusable(plan, "has no id-token");
  if (has_control_characters(token)) return unusable(plan, "has an id-token with control characters");
  const auto expiry = expiry_of(token);
  if (!expiry) return unusable(plan, "has an id-token that is not a JWT with an expiry");
  if (now + kExpiryDelta >= *expiry) return unusable(plan, "has an id-token that has expired");
  Credentials credentials;
  credentials.authorization = bearer(token);
  credentials.expires = *expiry - kExpiryDelta;
  return credentials;
}

}  // namespace ksr::cluster

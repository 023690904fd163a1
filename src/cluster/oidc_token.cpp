#include "cluster/oidc_token.hpp"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "base/base64.hpp"
#include "base/civil_time.hpp"
#include "base/mutex.hpp"
#include "base/secrets.hpp"
#include "base/text.hpp"
#include "cluster/bounded_json.hpp"
#include "cluster/files.hpp"
#include "cluster/pem.hpp"
#include "cluster/proxy_environment.hpp"

namespace ksr::cluster {
namespace {

// k8s.io/client-go/plugin/pkg/client/auth/oidc/oidc.go, expiryDelta.
constexpr std::chrono::seconds kExpiryDelta{10};
constexpr std::size_t kMaxClaimsMemory = std::size_t{1} << 20;
// What client-go has no number for.
constexpr double kTwoToThe63 = 9'223'372'036'854'775'808.0;
// The end of the year 9999.
constexpr double kMaxSeconds = 253'402'300'799;
constexpr std::size_t kMaxRememberedRefreshes = 256;

Error oidc_error(const OidcPlan& plan, const std::string& reason) {
  return {Status::auth, plan.role + ": " + reason};
}

Error unusable(const OidcPlan& plan, const std::string& reason) {
  return oidc_error(plan, reason +
                              ", and there is no refresh-token, idp-issuer-url and client-id to refresh it with; "
                              "expected one that kubectl or a login program has refreshed in the file, or an exec "
                              "plugin (such as kubelogin) or a token in place of the auth-provider");
}

// The file may be about to be written: what is wrong with it now can pass. Status::invalid would end the stream.
Error passing(Error error) {
  if (error.status == Status::invalid) error.status = Status::auth;
  return error;
}

std::string base64_of_url_form(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return text;
}

// Or a string that holds one: client-go reads it as a json.Number (oidc.go, jsonTime).
std::optional<double> seconds_of(const boost::json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  const boost::json::string* const text = value.if_string();
  if (text == nullptr || text->empty() || !is_digit(text->back()) ||
      (text->front() != '-' && !is_digit(text->front()))) {
    return std::nullopt;
  }
  const auto number = parse_bounded_json({text->data(), text->size()}, kMaxClaimsMemory);
  if (!number || !number->is_number()) return std::nullopt;
  return number->to_number<double>();
}

std::optional<WallTime> expiry_of(const std::string& token) {
  const auto parts = split(token, '.');
  if (parts.size() != 3) return std::nullopt;
  const auto claims = base64_decode(base64_of_url_form(std::string(parts[1])));
  if (!claims) return std::nullopt;
  const auto value = parse_bounded_json(*claims, kMaxClaimsMemory);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* expiry = object == nullptr ? nullptr : object->if_contains("exp");
  const auto seconds = expiry == nullptr ? std::nullopt : seconds_of(*expiry);
  if (!seconds || !(*seconds >= 0) || *seconds >= kTwoToThe63) return std::nullopt;
  return to_time_point({static_cast<std::int64_t>(std::min(*seconds, kMaxSeconds)), 0});
}

// Or what is wrong with the token.
Expected<Credentials> credentials_of_token(const std::string& token, WallTime now) {
  const auto refused = [](const char* reason) { return Error{Status::auth, reason}; };
  if (token.empty()) return refused("no id-token");
  if (has_control_characters(token)) return refused("an id-token with control characters");
  const auto expiry = expiry_of(token);
  if (!expiry) return refused("an id-token that is not a JWT with an expiry");
  if (now + kExpiryDelta >= *expiry) return refused("an id-token that has expired");
  Credentials credentials;
  credentials.authorization = bearer(token);
  credentials.expires = *expiry - kExpiryDelta;
  return credentials;
}

// Of one that an issuer has just given: it is the server that decides, and this machine's clock may be wrong
// (oidc.go, idToken). Where its expiry does not tell, it is used until the server refuses it.
Expected<Credentials> credentials_of_new_token(const OidcPlan& plan, const std::string& token, WallTime now,
                                               Logger& logger) {
  auto credentials = credentials_of_token(token, now);
  if (credentials) return credentials;
  const std::string given = "the issuer gave " + credentials.error().message;
  if (token.empty() || has_control_characters(token)) return oidc_error(plan, given);
  logger.log(LogLevel::warning, plan.role + ": " + given + "; it is used until the server refuses it");
  Credentials taken;
  taken.authorization = bearer(token);
  return taken;
}

// ---- the issuer -----------------------------------------------------------------------------------------------------

struct Tokens {
  std::string id_token;
  std::string refresh_token;
};

// application/x-www-form-urlencoded, in which %20 may stand for a blank.
std::string form_field(const char* name, const std::string& value) {
  return std::string(name) + "=" + percent_encode(value);
}

std::string text_member(const boost::json::object& object, const char* name) {
  const auto* value = object.if_contains(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

// Speaks with one issuer for one refresh.
class Issuer {
 public:
  Issuer(const OidcPlan& plan, const OidcProvider& provider, const IssuerCall& call)
      : plan_(plan), provider_(provider), call_(call) {
    secrets_.add(provider.client_secret);
    secrets_.add(provider.refresh_token);
  }

  // RFC 6749, section 6; OpenID Connect Core 1.0, section 12.
  Expected<Tokens> refresh(const std::string& refresh_token) {
    secrets_.add(refresh_token);
    auto ca = ca_pem();
    if (!ca) return ca.error();
    ca_pem_ = *std::move(ca);
    auto endpoint = token_endpoint();
    if (!endpoint) return endpoint.error();
    const std::string grant =
        form_field("grant_type", "refresh_token") + "&" + form_field("refresh_token", refresh_token);
    // client_secret_basic first, as golang.org/x/oauth2 does, then client_secret_post; a public client has no secret.
    if (!provider_.client_secret.empty()) {
      transport::Request request = token_request(grant);
      request.headers.push_back({"Authorization", "Basic " + base64_encode(percent_encode(provider_.client_id) + ":" +
                                                                           percent_encode(provider_.client_secret))});
      auto answer = send(*endpoint, std::move(request));
      if (!answer) return answer.error();
      if (answer->head.status != 400 && answer->head.status != 401) return tokens_of(*endpoint, *answer, refresh_token);
    }
    std::string body = grant + "&" + form_field("client_id", provider_.client_id);
    if (!provider_.client_secret.empty()) body += "&" + form_field("client_secret", provider_.client_secret);
    const auto answer = send(*endpoint, token_request(std::move(body)));
    if (!answer) return answer.error();
    return tokens_of(*endpoint, *answer, refresh_token);
  }

 private:
  Expected<std::string> ca_pem() const {
    if (!provider_.ca_data.empty())
      return decode_pem(plan_.role + ": idp-certificate-authority-data", provider_.ca_data);
    if (provider_.ca_file.empty()) return std::string();
    return read_credential_file({plan_.role + ": idp-certificate-authority", provider_.ca_file});
  }

  // OpenID Connect Discovery 1.0, section 4.
  Expected<std::string> token_endpoint() {
    std::string url = provider_.issuer;
    if (!url.empty() && url.back() == '/') url.pop_back();
    url += "/.well-known/openid-configuration";
    transport::Request request;
    request.headers.push_back({"Accept", "application/json"});
    const auto answer = send(url, std::move(request));
    if (!answer) return answer.error();
    const auto document = object_of(*answer);
    if (answer->head.status != 200 || !document) return refused(url, *answer);
    std::string endpoint = text_member(*document, "token_endpoint");
    if (endpoint.empty()) return failed("the issuer's " + shown(url) + " names no token_endpoint");
    return endpoint;
  }

  static transport::Request token_request(std::string body) {
    transport::Request request;
    request.method = "POST";
    request.headers.push_back({"Accept", "application/json"});
    request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    request.body = std::move(body);
    return request;
  }

  Expected<FetchedAnswer> send(const std::string& url, transport::Request request) {
    // Path and query stay as they are (RFC 6749, section 3.2).
    const std::size_t scheme = url.find("://");
    const std::size_t path =
        std::min(url.find_first_of("/?", scheme == std::string::npos ? 0 : scheme + 3), url.size());
    auto server = parse_server_url("the issuer's URL", url.substr(0, path));
    if (!server) return failed(server.error().message);
    if (!server->secure()) return failed("the issuer's URL " + shown(url) + " is without TLS; expected https");
    transport::ConnectionSettings settings;
    request.target = url.substr(path);
    if (request.target.empty() || request.target.front() != '/') request.target.insert(0, "/");
    settings.server = *server;
    settings.tls.ca_pem = ca_pem_;
    settings.connect_timeout = plan_.connect_timeout;
    if (auto found = proxy_to(*server); !found.empty()) {
      auto proxy = parse_proxy_url("the proxy to the issuer", found);
      if (!proxy) return failed(proxy.error().message);
      settings.proxy = *std::move(proxy);
    }
    request.response_timeout = plan_.request_timeout;
    request.idle_timeout = plan_.request_timeout;
    request.whole_timeout = kWholeDocument * plan_.request_timeout;
    auto answer = call_(settings, std::move(request), shown(url));
    if (answer) return answer;
    // What has failed is this machine, or the way to the issuer.
    const Status status = answer.error().status;
    Error error = answer.error().within(plan_.role);
    if (status != Status::out_of_memory && status != Status::cancelled) error.status = Status::auth;
    error.http_status = 0;
    return secrets_.blanked(std::move(error));
  }

  std::string proxy_to(const Url& server) const {
    ProcessEnvironment environment;
    environment.variable = [this](const char* name) -> std::optional<std::string> {
      const std::string start = std::string(name) + "=";
      for (const std::string& variable : plan_.proxy_variables) {
        if (variable.compare(0, start.size(), start) == 0) return variable.substr(start.size());
      }
      return std::nullopt;
    };
    return proxy_from_environment(server, environment).text;
  }

  static std::optional<boost::json::object> object_of(const FetchedAnswer& answer) {
    auto value = parse_bounded_json(answer.body, kMaxClaimsMemory);
    if (!value || !value->is_object()) return std::nullopt;
    return std::optional<boost::json::object>(std::in_place, std::move(value->as_object()));
  }

  Expected<Tokens> tokens_of(const std::string& url, const FetchedAnswer& answer,
                             const std::string& refresh_token) const {
    const auto document = object_of(answer);
    if (answer.head.status < 200 || answer.head.status > 299 || !document) return refused(url, answer);
    Tokens tokens{text_member(*document, "id_token"), text_member(*document, "refresh_token")};
    // Not every provider sends one (kubernetes#36847).
    if (tokens.id_token.empty()) {
      return failed("the answer of " + shown(url) +
                    " has no id_token: the login did not ask for the scope openid, or the provider gives none for a "
                    "refresh-token");
    }
    if (tokens.refresh_token.empty()) tokens.refresh_token = refresh_token;
    return tokens;
  }

  // RFC 6749, section 5.2.
  Error refused(const std::string& url, const FetchedAnswer& answer) const {
    std::string reason;
    if (const auto document = object_of(answer)) {
      reason = text_member(*document, "error");
      const std::string description = text_member(*document, "error_description");
      if (!description.empty()) reason += (reason.empty() ? "" : ": ") + description;
    }
    return failed("the issuer answered " + std::to_string(answer.head.status) + " at " + shown(url) +
                  (reason.empty() ? ", without a document of OpenID Connect" : ": " + shown(reason)));
  }

  std::string shown(const std::string& text) const { return one_line(without_likely_secrets(secrets_.blanked(text))); }

  Error failed(const std::string& reason) const {
    return secrets_.blanked(oidc_error(plan_, "cannot refresh the id-token: " + reason));
  }

  const OidcPlan& plan_;
  const OidcProvider& provider_;
  const IssuerCall& call_;
  Secrets secrets_;
  std::string ca_pem_;
};

// ---- what has been refreshed ----------------------------------------------------------------------------------------

// By the refresh-token of the file: a provider may have replaced it, and then takes it no more.
class Refreshes {
 public:
  struct Entry {
    Mutex refresh_mutex;
    Tokens tokens KSR_GUARDED_BY(refresh_mutex);
  };

  std::shared_ptr<Entry> of(const OidcProvider& provider) {
    const MutexLock lock(entries_mutex_);
    if (entries_.size() >= kMaxRememberedRefreshes) entries_.clear();
    auto& entry = entries_[{provider.issuer, provider.client_id, provider.refresh_token}];
    if (!entry) entry = std::make_shared<Entry>();
    return entry;
  }

 private:
  struct Key {
    std::string issuer, client_id, refresh_token;
    bool operator<(const Key& other) const {
      return std::tie(issuer, client_id, refresh_token) < std::tie(other.issuer, other.client_id, other.refresh_token);
    }
  };

  Mutex entries_mutex_;
  std::map<Key, std::shared_ptr<Entry>> entries_ KSR_GUARDED_BY(entries_mutex_);
};

// Never destroyed: a stream may be opened while the process exits.
Refreshes& refreshes() {
  static Refreshes* const leaked = new Refreshes;
  return *leaked;
}

Expected<Credentials> refreshed(const OidcPlan& plan, const OidcProvider& provider,
                                const std::function<WallTime()>& now, const IssuerCall& call, Logger& logger) {
  const auto entry = refreshes().of(provider);
  // One refresh for all connections: the second one would use a refresh-token that the first has used up.
  const MutexLock lock(entry->refresh_mutex);
  if (auto kept = credentials_of_token(entry->tokens.id_token, now())) return kept;
  const bool first = entry->tokens.refresh_token.empty();
  const std::string before = first ? provider.refresh_token : entry->tokens.refresh_token;
  auto tokens = Issuer(plan, provider, call).refresh(before);
  if (!tokens) return passing(tokens.error());
  auto credentials = credentials_of_new_token(plan, tokens->id_token, now(), logger);
  if (tokens->refresh_token != before && first) {
    logger.log(LogLevel::notice,
               plan.role +
                   ": the issuer has replaced the refresh-token; the new one is kept in memory alone, "
                   "and what else uses the file may have to log in again");
  }
  entry->tokens = *std::move(tokens);
  if (!credentials) return credentials;
  logger.log(LogLevel::info, plan.role + ": the id-token was refreshed");
  return credentials;
}

}  // namespace

Expected<OidcProvider> read_oidc_provider(const OidcPlan& plan) {
  if (plan.held) return *plan.held;
  const auto text = read_kubeconfig_file({"kubeconfig", plan.kubeconfig});
  if (!text) return text.error();
  auto config = parse_kubeconfig(plan.kubeconfig, *text);
  if (!config) return config.error();
  const auto user = config->users.find(plan.user);
  return user == config->users.end() ? OidcProvider() : std::move(user->second.oidc);
}

bool can_refresh(const OidcProvider& provider) noexcept {
  return !provider.refresh_token.empty() && !provider.issuer.empty() && !provider.client_id.empty();
}

Expected<Credentials> id_token_of(const OidcPlan& plan, const OidcProvider& provider, WallTime now) {
  auto credentials = credentials_of_token(provider.id_token, now);
  if (credentials) return credentials;
  return unusable(plan, "has " + credentials.error().message);
}

Expected<Credentials> fetch_id_token(const OidcPlan& plan, const std::function<WallTime()>& now, const IssuerCall& call,
                                     Logger& logger) {
  auto provider = read_oidc_provider(plan);
  if (!provider) return passing(provider.error());
  auto credentials = id_token_of(plan, *provider, now());
  if (credentials || !can_refresh(*provider)) return credentials;
  return refreshed(plan, *provider, now, call, logger);
}

}  // namespace ksr::cluster

#include "cluster/resolve_connection.hpp"

#include <filesystem>
#include <system_error>

#include "base/base64.hpp"
#include "base/server_name.hpp"
#include "base/text.hpp"
#include "cluster/header_secrets.hpp"
#include "cluster/oidc_token.hpp"
#include "cluster/pem.hpp"
#include "cluster/proxy_environment.hpp"
#include "cluster/request_headers.hpp"

namespace ksr::cluster {
namespace {

// Data takes precedence over the file, as in client-go (rest/config.go, dataFromSliceOrFile).
Expected<Pem> load_pem(const ValueWithOrigin& data, const ValueWithOrigin& file) {
  if (data.set()) {
    auto text = decode_pem(data.role, data.text);
    if (!text) return std::move(text).error();
    return Pem{*std::move(text), {data.role, ""}};
  }
  if (!file.set()) return Pem{};
  const NamedFile named{file.role, file.text};
  auto text = read_credential_file(named);
  if (!text) return std::move(text).error();
  if (is_read_once(file.text)) return Pem{*std::move(text), {named.text(), ""}};
  return Pem{*std::move(text), named};
}

std::string where(const Pem& pem) {
  return pem.from_file() ? pem.file.text() : pem.file.role;
}

// A relative path is another file after a chdir().
std::string whole_path(const std::string& path) {
  std::error_code failure;
  const std::filesystem::path whole = path.empty() ? std::filesystem::path() : std::filesystem::absolute(path, failure);
  return failure ? path : whole.string();
}

// Files are read again where they were found.
void make_paths_whole(ResolvedConnection& settings) {
  for (NamedFile* file : {&settings.ca.file, &settings.client_certificate.file, &settings.client_key.file,
                          &settings.authentication.token_file}) {
    file->path = whole_path(file->path);
  }
}

Expected<void> load_ca(const ConnectionSpec& spec, ResolvedConnection& settings) {
  settings.skip_verify = spec.insecure.set();
  if (settings.skip_verify && spec.has_ca()) {
    return Error{Status::invalid, spec.insecure.role + ": contradicts " +
                                      (spec.ca_data.set() ? spec.ca_data.role : spec.ca_file.role) +
                                      "; expected either a CA or no verification"};
  }
  auto ca = load_pem(spec.ca_data, spec.ca_file);
  if (!ca) return ca.error();
  settings.ca = *std::move(ca);
  if (spec.has_ca()) return check_certificates(where(settings.ca), settings.ca.text);
  return {};
}

Expected<void> load_client_certificate(const ConnectionSpec& spec, ResolvedConnection& settings, Logger& logger) {
  if (spec.has_certificate() != spec.has_key()) {
    const bool lacks_key = spec.has_certificate();
    const auto& present = lacks_key ? (spec.client_cert_data.set() ? spec.client_cert_data : spec.client_cert_file)
                                    : (spec.client_key_data.set() ? spec.client_key_data : spec.client_key_file);
    const std::string problem = present.role + (lacks_key ? ": the key of the certificate is missing"
                                                          : ": the certificate of the key is missing");
    if (!spec.has_credentials() && !spec.exec && !spec.oidc)
      return Error{Status::invalid, problem + "; expected both or neither"};
    // As client-go, which looks at the key only beside a certificate.
    logger.log(LogLevel::notice, problem + "; it is ignored, since there are other credentials");
    return {};
  }
  if (!spec.has_certificate()) return {};
  auto certificate = load_pem(spec.client_cert_data, spec.client_cert_file);
  if (!certificate) return certificate.error();
  auto key = load_pem(spec.client_key_data, spec.client_key_file);
  if (!key) return key.error();
  settings.client_certificate = *std::move(certificate);
  settings.client_key = *std::move(key);
  if (auto fine = check_certificates(where(settings.client_certificate), settings.client_certificate.text); !fine) {
    return fine;
  }
  return check_key(where(settings.client_key), settings.client_key.text, settings.client_certificate.text);
}

// The file takes precedence; the token is used where the file cannot be read (client-go, transport/round_trippers.go).
Expected<void> load_token(const ConnectionSpec& spec, Authentication& authentication, Logger& logger) {
  if (has_control_characters(spec.token.text)) {
    return Error{Status::invalid, spec.token.role + ": holds control characters; expected one bearer token"};
  }
  authentication.token = spec.token.text;
  authentication.given_token = spec.token.text;
  if (!spec.token_file.set()) return {};
  const NamedFile file{spec.token_file.role, spec.token_file.text};
  auto token = read_token_file(file);
  if (token) {
    authentication.token = *std::move(token);
  } else if (authentication.token.empty()) {
    return token.error();
  } else {
    logger.log(LogLevel::warning, token.error().message + " (" + spec.token.role + " is used instead)");
  }
  if (is_read_once(file.path)) {
    authentication.given_token = authentication.token;
  } else {
    authentication.token_file = file;
  }
  return {};
}

Expected<void> load_authentication(const ConnectionSpec& spec, Authentication& authentication, Logger& logger) {
  const bool basic = spec.username.set() || spec.password.set();
  if (basic && (spec.token.set() || spec.token_file.set())) {
    return Error{Status::invalid, (spec.username.set() ? spec.username.role : spec.password.role) + ": contradicts " +
                                      (spec.token.set() ? spec.token.role : spec.token_file.role) +
                                      "; expected either a user name and password or a token"};
  }
  if (!basic) return load_token(spec, authentication, logger);
  // RFC 7617 section 2.
  if (spec.username.text.find(':') != std::string::npos || has_control_characters(spec.username.text)) {
    return Error{Status::invalid, spec.username.role + ": holds a colon or control characters"};
  }
  if (has_control_characters(spec.password.text)) {
    return Error{Status::invalid, spec.password.role + ": holds control characters"};
  }
  authentication.username = spec.username.text;
  authentication.password = spec.password.text;
  return {};
}

Expected<void> load_server(const ConnectionSpec& spec, const ProcessEnvironment& process_env,
                           ResolvedConnection& settings, Logger& logger) {
  auto server = parse_server_url(spec.server.role, spec.server.text);
  if (!server) return server.error();
  settings.server = *std::move(server);
  if (!spec.tls_server_name.text.empty() && !is_server_name(spec.tls_server_name.text)) {
    return Error{
        Status::invalid,
        spec.tls_server_name.role + ": is not a valid host name; expected a DNS name or an IP address without a zone"};
  }
  settings.tls_server_name = spec.tls_server_name.text;
  const ValueWithOrigin proxy =
      spec.proxy_url.set() ? spec.proxy_url : proxy_from_environment(settings.server, process_env);
  if (!proxy.set()) return {};
  auto url = parse_proxy_url(proxy.role, proxy.text);
  if (!url) return url.error();
  settings.proxy = *std::move(url);
  logger.log(LogLevel::notice, proxy.role + ": " + settings.server.address() + " is reached through the proxy " +
                                   settings.proxy->address());
  return {};
}

ExecPlan plan_exec(const ConnectionSpec& spec, const ConnectionOptions& options, const ProcessEnvironment& process_env,
                   const ResolvedConnection& settings) {
  ExecPlan plan;
  plan.role = spec.exec_role;
  plan.stanza = *spec.exec;
  plan.environment = process_env.variables();
  plan.search_path = process_env.variable("PATH").value_or("");
  plan.timeout = options.exec_timeout;
  plan.inherits_stderr = options.exec_stderr_inherited;
  plan.cluster = {spec.server.text,    settings.tls_server_name, settings.skip_verify, settings.ca.text,
                  spec.proxy_url.text, spec.disable_compression, spec.exec_config};
  return plan;
}

// Without TLS, overridden() has left in the spec only what was given by key, as the options were. A client certificate
// is not sent without TLS.
std::string credentials_by_key(const ConnectionSpec& spec, const ConnectionOptions& options) {
  std::string names;
  const auto add = [&names](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const ValueWithOrigin* credential : {&spec.token, &spec.token_file, &spec.username, &spec.password}) {
    if (credential->set()) add(credential->role);
  }
  if (!options.headlamp_token.empty()) add("headlamp_token");
  if (!options.headlamp_kubeconfig.empty()) add("headlamp_kubeconfig");
  for (const auto& [name, value] : options.headers) {
    if (carries_secret(name, value)) add("header." + name);
  }
  return names;
}

void warn_of_clear_text(const ConnectionSpec& spec, const ConnectionOptions& options,
                        const ResolvedConnection& settings, Logger& logger) {
  if (spec.credentials_dropped) {
    logger.log(LogLevel::notice, spec.server.role + ": the credentials of the kubeconfig are not sent to " +
                                     settings.server.address() + ", since it has no TLS; expected https");
  }
  if (settings.server.secure() || (is_loopback(settings.server) && !settings.proxy)) return;
  const std::string names = credentials_by_key(spec, options);
  if (names.empty()) return;
  logger.log(LogLevel::warning, spec.server.role + ": a credential (" + names +
                                    ") is sent over http, without encryption, to " + settings.server.address() +
                                    "; expected https");
}

// Each string with its length, so that two lists of strings never give the same fingerprint. Each structure is taken
// apart whole: a member that is added to one does not compile until it is decided here whether connections that differ
// in it may be one.
class Fingerprint {
 public:
  Fingerprint& operator<<(const std::string& text) {
    text_ += std::to_string(text.size());
    text_ += ':';
    text_ += text;
    return *this;
  }
  // Not the content of a file: the same file is the same connection before and after it was rotated.
  Fingerprint& operator<<(const Pem& pem) {
    return pem.from_file() ? *this << "file" << pem.file.path : *this << "text" << pem.text;
  }
  Fingerprint& operator<<(const ExecPlan& exec) {
    const auto& [role, stanza, environment, search_path, timeout, inherits_stderr, cluster] = exec;
    const auto& [version, command, arguments, variables, interactive_mode, install_hint, gets_cluster] = stanza;
    *this << version << command;
    for (const std::string& argument : arguments) *this << "argument" << argument;
    for (const auto& [name, value] : variables) *this << "variable" << name << value;
    // A plugin may choose by any of them whose credentials it prints, and by the directory that it runs in.
    for (const std::string& variable : environment) *this << "environment" << variable;
    *this << "directory" << whole_path(".");
    if (gets_cluster) *this << "cluster" << cluster;
    return *this << std::to_string(timeout.count()) << (inherits_stderr ? "inherit" : "log");
  }
  Fingerprint& operator<<(const OidcPlan& oidc) {
    const auto& [role, kubeconfig, user, held, proxy_variables, connect_timeout, request_timeout] = oidc;
    *this << kubeconfig << user;
    for (const std::string& variable : proxy_variables) *this << "variable" << variable;
    if (!held) return *this;
    const auto& [id_token, refresh_token, issuer, client_id, client_secret, ca_file, ca_data] = *held;
    *this << "held" << id_token << refresh_token << issuer << client_id << client_secret;
    return *this << ca_file << ca_data;
  }
  // What is in use of a file or of a provider is not in it.
  Fingerprint& operator<<(const Authentication& authentication) {
    const auto& [token, given_token, token_file, username, password, exec, oidc, oidc_secrets, token_expires] =
        authentication;
    *this << token_file.path << given_token << username << password;
    if (exec) *this << "exec" << *exec;
    if (oidc) *this << "oidc" << *oidc;
    return *this;
  }
  Fingerprint& operator<<(const HeadlampPlan& headlamp) {
    // The path is part of that of the server.
    const auto& [path, http_headers, subprotocols, stateless, secrets] = headlamp;
    *this << http_headers;
    for (const std::string& subprotocol : subprotocols) *this << "subprotocol" << subprotocol;
    return *this;
  }
  Fingerprint& operator<<(const std::vector<transport::Header>& headers) {
    for (const auto& [name, value] : headers) *this << "header" << name << value;
    return *this;
  }
  const std::string& text() const noexcept { return text_; }

 private:
  Fingerprint& operator<<(const ExecCluster& told) {
    // The CA is that of the connection.
    const auto& [server, tls_server_name, insecure, ca_pem, proxy_url, disable_compression, config] = told;
    return *this << server << proxy_url << config;
  }

  std::string text_;
};

bool names_proxy(const std::string& variable) {
  const std::string name = lower_case(variable.substr(0, variable.find('=')));
  return name == "http_proxy" || name == "https_proxy" || name == "no_proxy" || name == "request_method";
}

// The id-token where it is valid; where it can be refreshed, the first request waits for that.
Expected<void> load_oidc(const OidcPlan& found, const ConnectionOptions& options, const ProcessEnvironment& process_env,
                         Authentication& authentication) {
  OidcPlan& plan = authentication.oidc.emplace(found);
  plan.connect_timeout = options.connect_timeout;
  plan.request_timeout = options.request_timeout;
  for (std::string& variable : process_env.variables()) {
    if (names_proxy(variable)) plan.proxy_variables.push_back(std::move(variable));
  }
  const auto provider = read_oidc_provider(plan);
  if (!provider) return provider.error();
  const auto token = id_token_of(plan, *provider, process_env.wall_clock());
  if (token) {
    authentication.token = token->authorization.substr(bearer("").size());
    authentication.token_expires = token->expires;
  } else if (!can_refresh(*provider)) {
    // Nothing that the network could change.
    return Error{Status::invalid, token.error().message};
  }
  authentication.oidc_secrets = {provider->client_secret, provider->refresh_token};
  return {};
}

}  // namespace

Expected<ResolvedConnection> resolve_connection(const ConnectionSpec& spec, const ConnectionOptions& options,
                                                const ProcessEnvironment& process_env, Logger& logger) {
  ResolvedConnection settings;
  settings.connect_timeout = options.connect_timeout;
  settings.request_timeout = options.request_timeout;
  settings.compression = !spec.disable_compression;
  if (auto fine = load_server(spec, process_env, settings, logger); !fine) return fine.error();
  if (auto fine = load_ca(spec, settings); !fine) return fine.error();
  if (auto fine = load_client_certificate(spec, settings, logger); !fine) return fine.error();
  if (auto fine = load_authentication(spec, settings.authentication, logger); !fine) return fine.error();
  if (spec.oidc) {
    if (auto fine = load_oidc(*spec.oidc, options, process_env, settings.authentication); !fine) return fine.error();
  }
  if (spec.exec) settings.authentication.exec = plan_exec(spec, options, process_env, settings);
  auto headers = request_headers(spec.impersonation, options);
  if (!headers) return headers.error();
  settings.headers = *std::move(headers);
  make_paths_whole(settings);
  warn_of_clear_text(spec, options, settings, logger);
  return settings;
}

std::string fingerprint(const ResolvedConnection& settings) {
  // Streams bring their own request_timeout.
  const auto& [server, ca, client_certificate, client_key, tls_server_name, skip_verify, proxy, connect_timeout,
               request_timeout, compression, authentication, headers, headlamp] = settings;
  Fingerprint print;
  print << server.text() << ca << client_certificate << client_key;
  print << tls_server_name << (skip_verify ? "skip" : "verify");
  if (proxy) print << "proxy" << proxy->text() << proxy->userinfo;
  print << std::to_string(connect_timeout.count()) << authentication;
  if (headlamp) print << "headlamp" << *headlamp;
  print << (compression ? "gzip" : "plain") << headers;
  return print.text();
}

std::vector<std::string> secrets_of(const ResolvedConnection& settings) {
  const Authentication& authentication = settings.authentication;
  std::vector<std::string> secrets{authentication.token, authentication.given_token, authentication.password,
                                   settings.client_key.text};
  const auto add_basic = [&secrets](const std::string& user_and_password) {
    secrets.push_back(base64_encode(user_and_password));
    const std::size_t colon = user_and_password.find(':');
    if (colon != std::string::npos) secrets.push_back(user_and_password.substr(colon + 1));
  };
  if (!authentication.password.empty()) add_basic(authentication.username + ":" + authentication.password);
  if (settings.proxy && !settings.proxy->userinfo.empty()) {
    add_basic(percent_decode(settings.proxy->userinfo).value_or(settings.proxy->userinfo));
    secrets.push_back(settings.proxy->basic_authorization().substr(std::string_view("Basic ").size()));
  }
  for (std::string& secret : secrets_in(settings.headers)) secrets.push_back(std::move(secret));
  for (const std::string& secret : authentication.oidc_secrets) secrets.push_back(secret);
  if (settings.headlamp) {
    for (const std::string& secret : settings.headlamp->secrets) secrets.push_back(secret);
  }
  return secrets;
}

}  // namespace ksr::cluster

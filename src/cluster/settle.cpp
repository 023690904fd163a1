#include "cluster/settle.hpp"

#include "base/server_name.hpp"
#include "cluster/pem.hpp"
#include "cluster/proxy_environment.hpp"
#include "cluster/request_headers.hpp"
#include "cluster/text.hpp"

namespace ksr::cluster {
namespace {

// Data stands before the file, as in client-go (rest/config.go, dataFromSliceOrFile).
Expected<Pem> load_pem(const Sourced& data, const Sourced& file) {
  if (data.set()) {
    auto text = decode_pem(data.role, data.text);
    if (!text) return std::move(text).error();
    return Pem{*std::move(text), {data.role, ""}};
  }
  if (!file.set()) return Pem{};
  const NamedFile named{file.role, file.text};
  auto text = read_file(named, largest_credential_file);
  if (!text) return std::move(text).error();
  return Pem{*std::move(text), named};
}

std::string where(const Pem& pem) {
  return pem.from_file() ? pem.file.role + " " + pem.file.path : pem.file.role;
}

Expected<void> load_ca(const Draft& draft, Settings& settings) {
  settings.skip_verify = draft.insecure.set();
  if (settings.skip_verify && draft.has_ca()) {
    return Error{Status::invalid, draft.insecure.role + ": contradicts " +
                                      (draft.ca_data.set() ? draft.ca_data.role : draft.ca_file.role) +
                                      "; expected either a CA or no verification"};
  }
  auto ca = load_pem(draft.ca_data, draft.ca_file);
  if (!ca) return ca.error();
  settings.ca = *std::move(ca);
  if (draft.has_ca()) return check_certificates(where(settings.ca), settings.ca.text);
  return {};
}

Expected<void> load_client_certificate(const Draft& draft, Settings& settings) {
  if (draft.has_certificate() != draft.has_key()) {
    const bool lacks_key = draft.has_certificate();
    const auto& there = lacks_key ? (draft.client_cert_data.set() ? draft.client_cert_data : draft.client_cert_file)
                                  : (draft.client_key_data.set() ? draft.client_key_data : draft.client_key_file);
    return Error{Status::invalid, there.role +
                                      (lacks_key ? ": the key of the certificate is missing"
                                                 : ": the certificate of the key is missing") +
                                      "; expected both or neither"};
  }
  if (!draft.has_certificate()) return {};
  auto certificate = load_pem(draft.client_cert_data, draft.client_cert_file);
  if (!certificate) return certificate.error();
  auto key = load_pem(draft.client_key_data, draft.client_key_file);
  if (!key) return key.error();
  settings.client_certificate = *std::move(certificate);
  settings.client_key = *std::move(key);
  if (auto fine = check_certificates(where(settings.client_certificate), settings.client_certificate.text); !fine) {
    return fine;
  }
  return check_key(where(settings.client_key), settings.client_key.text, settings.client_certificate.text);
}

// The file wins over the token, which serves where the file cannot be read (client-go, transport/round_trippers.go).
Expected<void> load_token(const Draft& draft, Authentication& authentication, Logger& logger) {
  if (has_control_characters(draft.token.text)) {
    return Error{Status::invalid, draft.token.role + ": holds control characters; expected one bearer token"};
  }
  authentication.token = draft.token.text;
  if (!draft.token_file.set()) return {};
  authentication.token_file = {draft.token_file.role, draft.token_file.text};
  auto token = read_token_file(authentication.token_file);
  if (token) {
    authentication.token = *std::move(token);
  } else if (authentication.token.empty()) {
    return token.error();
  } else {
    logger.log(LogLevel::warning, token.error().message + " (" + draft.token.role + " is used instead)");
  }
  return {};
}

Expected<void> load_authentication(const Draft& draft, Authentication& authentication, Logger& logger) {
  const bool basic = draft.username.set() || draft.password.set();
  if (basic && (draft.token.set() || draft.token_file.set())) {
    return Error{Status::invalid, (draft.username.set() ? draft.username.role : draft.password.role) +
                                      ": contradicts " +
                                      (draft.token.set() ? draft.token.role : draft.token_file.role) +
                                      "; expected either a user name and password or a token"};
  }
  if (!basic) return load_token(draft, authentication, logger);
  // RFC 7617 section 2.
  if (draft.username.text.find(':') != std::string::npos || has_control_characters(draft.username.text)) {
    return Error{Status::invalid, draft.username.role + ": holds a colon or control characters"};
  }
  if (has_control_characters(draft.password.text)) {
    return Error{Status::invalid, draft.password.role + ": holds control characters"};
  }
  authentication.username = draft.username.text;
  authentication.password = draft.password.text;
  return {};
}

Expected<void> load_place(const Draft& draft, const Surroundings& surroundings, Settings& settings) {
  const bool tls_expected = draft.has_ca() || draft.has_certificate() || draft.insecure.set();
  auto server = parse_server_url(draft.server.role, draft.server.text, tls_expected);
  if (!server) return server.error();
  settings.server = *std::move(server);
  if (!draft.tls_server_name.text.empty() && !is_server_name(draft.tls_server_name.text)) {
    return Error{Status::invalid,
                 draft.tls_server_name.role + ": " + in_quotes(draft.tls_server_name.text) +
                     " is not the name of a host; expected a DNS name or an IP address without a zone"};
  }
  settings.tls_server_name = draft.tls_server_name.text;
  const Sourced proxy = draft.proxy_url.set() ? draft.proxy_url : proxy_from_environment(settings.server, surroundings);
  if (!proxy.set()) return {};
  auto url = parse_proxy_url(proxy.role, proxy.text);
  if (!url) return url.error();
  settings.proxy_url = *std::move(url);
  return {};
}

ExecPlan plan_exec(const Draft& draft, const ConnectionOptions& options, const Surroundings& surroundings,
                   const Settings& settings) {
  ExecPlan plan;
  plan.role = draft.exec_role;
  plan.stanza = *draft.exec;
  plan.environment = surroundings.variables();
  plan.search_path = surroundings.variable("PATH").value_or("");
  plan.timeout = options.exec_timeout;
  plan.cluster = {draft.server.text,    settings.tls_server_name,  settings.skip_verify, settings.ca.text,
                  draft.proxy_url.text, draft.disable_compression, draft.exec_config};
  return plan;
}

// What is left in the draft without TLS was given by key (draft.cpp, overridden), and so were the options. A client
// certificate is not sent without TLS.
std::string credentials_by_key(const Draft& draft, const ConnectionOptions& options) {
  std::string names;
  const auto add = [&names](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const Sourced* credential : {&draft.token, &draft.token_file, &draft.username, &draft.password}) {
    if (credential->set()) add(credential->role);
  }
  if (!options.headlamp_token.empty()) add("headlamp_token");
  if (!options.headlamp_kubeconfig.empty()) add("headlamp_kubeconfig");
  for (const auto& [name, value] : options.headers) {
    if (lower_case(name) == "cookie") add("header." + name);
  }
  return names;
}

void warn_of_clear_text(const Draft& draft, const ConnectionOptions& options, const Settings& settings,
                        Logger& logger) {
  if (settings.server.secure() || (is_loopback(settings.server) && settings.proxy_url.empty())) return;
  const std::string names = credentials_by_key(draft, options);
  if (names.empty()) return;
  logger.log(LogLevel::warning, draft.server.role + ": a credential (" + names +
                                    ") is sent over http, without encryption, to " + settings.server.origin() +
                                    "; expected https");
}

}  // namespace

Expected<Settings> settle(const Draft& draft, const ConnectionOptions& options, const Surroundings& surroundings,
                          Logger& logger) {
  Settings settings;
  settings.connect_timeout = options.connect_timeout;
  settings.request_timeout = options.request_timeout;
  settings.compression = !draft.disable_compression;
  if (auto fine = load_place(draft, surroundings, settings); !fine) return fine.error();
  if (auto fine = load_ca(draft, settings); !fine) return fine.error();
  if (auto fine = load_client_certificate(draft, settings); !fine) return fine.error();
  if (auto fine = load_authentication(draft, settings.authentication, logger); !fine) return fine.error();
  if (draft.exec) settings.authentication.exec = plan_exec(draft, options, surroundings, settings);
  auto headers = request_headers(draft.impersonation, options);
  if (!headers) return headers.error();
  settings.headers = *std::move(headers);
  warn_of_clear_text(draft, options, settings, logger);
  return settings;
}

}  // namespace ksr::cluster

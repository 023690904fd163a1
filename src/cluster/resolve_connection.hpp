// `resolve_connection` turns a ConnectionSpec into a ResolvedConnection: it reads the files that the spec names and
// refuses what can never work; used when a stream is opened. Any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/expected.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/url.hpp"
#include "cluster/connection_spec.hpp"
#include "cluster/exec_plugin.hpp"
#include "cluster/files.hpp"
#include "cluster/headlamp.hpp"
#include "cluster/process_environment.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// With a path in `file` the PEM came from there and is read again; `file.role` is always set, for messages.
struct Pem {
  std::string text;
  NamedFile file;
  bool from_file() const noexcept { return !file.path.empty(); }
};

// At most one of token and user name. With a path in `token_file` the token came from there, or is `given_token` while
// that cannot be read, and is read again.
struct Authentication {
  std::string token;
  // As text, whether or not it is the one in use.
  std::string given_token;
  NamedFile token_file;
  std::string username;
  std::string password;
  std::optional<ExecPlan> exec;
  // Its token is in `token`, where it is valid.
  std::optional<OidcPlan> oidc;
  std::vector<std::string> oidc_secrets;
  std::optional<WallTime> token_expires;
};

// Plain values; may be copied between threads.
struct ResolvedConnection {
  Url server;
  Pem ca;
  Pem client_certificate;
  Pem client_key;
  std::string tls_server_name;
  bool skip_verify = false;
  std::optional<Url> proxy;
  Milliseconds connect_timeout{30'000};
  // For discovery; streams bring their own.
  Milliseconds request_timeout{30'000};
  bool compression = true;
  Authentication authentication;
  // User-Agent, impersonation and header.NAME, in the order they are sent.
  std::vector<transport::Header> headers;
  std::optional<HeadlampPlan> headlamp;
};

// Equal for two connections exactly when streams may share one Access. Has all that decides what is sent, to whom, and
// what is trusted, now or when it is read again, whether or not it is in use at the moment. Holds secrets.
std::string fingerprint(const ResolvedConnection& settings);

// All secrets in it: tokens, passwords, keys, and what else authenticates.
std::vector<std::string> secrets_of(const ResolvedConnection& settings);

// Blocks on the disk at most. `options` gives what only config keys can say: headers, user agent, timeouts. A proxy
// that the spec does not name comes from the environment.
Expected<ResolvedConnection> resolve_connection(const ConnectionSpec& spec, const ConnectionOptions& options,
                                                const ProcessEnvironment& process_env, Logger& logger);

}  // namespace ksr::cluster

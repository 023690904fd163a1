// `ServerOptions` configures a server; used by ApiServer and the tests. A value: on any thread.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ksr::testserver {

struct Token {
  std::string token;  // as in "Authorization: Bearer TOKEN"; "name:password" is valid for basic credentials too
  std::string user = "admin";
};

// Refused with 403; an empty or "*" member matches everything.
struct Denial {
  std::string user;
  std::string verb;
  std::string resource;
  std::string ns;
};

// The server is reached through Headlamp: below /clusters/NAME, with the backend token.
struct HeadlampOptions {
  std::string backend_token;          // empty: no token is required
  std::vector<std::string> clusters;  // the clusters it has configured
  std::chrono::milliseconds first_context_time{300'000};
  std::chrono::milliseconds later_context_time{20'000};
};

// The initial configuration of a server.
struct ServerOptions {
  std::uint16_t port = 0;  // 0: any free port
  bool ipv6 = true;        // listen on [::1] as well, on the same port
  bool tls = false;
  bool default_names = true;              // the certificate is valid for localhost, 127.0.0.1 and ::1
  std::vector<std::string> server_names;  // and for these names and addresses
  bool require_client_certificate = false;
  std::vector<Token> tokens;  // empty: no authentication
  std::vector<Denial> denials;
  std::optional<HeadlampOptions> headlamp;
  std::string path_prefix;  // such as /k8s/clusters/c1: the API is served below it only
  std::chrono::milliseconds bookmark_interval{60000};
  std::size_t history_window = 100000;  // changes that are kept of each resource
  std::uint64_t first_revision = 1000;
  bool watch_list = true;  // false: sendInitialEvents is refused with 422, as servers without the feature do
  bool shards = false;     // whether shardSelector is known
  bool aggregated_discovery = true;
  bool future_watch_waits = true;       // false: 504 at once
  std::size_t gzip_above = 128 * 1024;  // bodies larger than this are compressed for clients that accept it
};

}  // namespace ksr::testserver

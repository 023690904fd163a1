// A recorded stream on a scriptable server, and the last word of a test: the view equals the server's own list.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "server/api_server.hpp"
#include "support/recorder.hpp"
#include "support/transports.hpp"

namespace ksr_test {

constexpr const char* test_token = "s3cret-token-of-the-server-tests";

inline ksr::testserver::ServerOptions with_token() {
  ksr::testserver::ServerOptions options;
  options.tokens.push_back({test_token, "admin"});
  return options;
}

// Quick to come back: the tests wait for it.
inline Settings on_server(const ksr::testserver::ApiServer& server, const std::string& transport,
                          const std::string& resource = "v1/pods") {
  Settings settings{{"server", server.url()}, {"token", test_token}, {"resource", resource},
                    {"transport", transport}, {"initial", "list"},   {"backoff_initial", "20ms"},
                    {"backoff_max", "200ms"}};
  if (!server.ca_file().empty()) settings.emplace_back("ca_file", server.ca_file());
  return settings;
}

inline void check_equals_server(const Recorder& seen, ksr::testserver::ApiServer& server,
                                const std::string& resource = "pods") {
  const Contents truth = server.contents(resource);
  seen.wait([&](const Recorder& now) { return now.updates() > 0 && now.contents() == truth; });
  CHECK(seen.contents() == truth);
  CHECK(seen.violations() == std::vector<std::string>{});
}

}  // namespace ksr_test

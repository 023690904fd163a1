// `on_server` configures a stream on a scriptable server, and `check_equals_server` ends a test: the view equals the
// server's own list. Used by the cases and by tests/host/close_stress. Lives on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "server/api_server.hpp"
#include "support/recorder.hpp"
#include "support/transports.hpp"

namespace ksr::testing {

constexpr const char* kTestToken = "s3cret-token-of-the-server-tests";

inline ksr::testserver::ServerOptions with_token() {
  ksr::testserver::ServerOptions options;
  options.tokens.push_back({kTestToken, "admin"});
  return options;
}

// With short backoffs: the tests wait for them.
inline Settings on_server(const ksr::testserver::ApiServer& server, const std::string& transport,
                          const std::string& resource = "v1/pods") {
  Settings settings{{"server", server.url()}, {"token", kTestToken}, {"resource", resource},
                    {"transport", transport}, {"initial", "list"},   {"backoff_initial", "20ms"},
                    {"backoff_max", "200ms"}};
  if (!server.ca_file().empty()) settings.emplace_back("ca_file", server.ca_file());
  return settings;
}

// A client of requests, without keys of its own.
inline Settings client_of(const ksr::testserver::ApiServer& server) {
  return {{"server", server.url()}, {"token", kTestToken}};
}

inline Settings client_of(const ksr::testserver::ApiServer& server, const std::string& delivery) {
  return {{"server", server.url()}, {"token", kTestToken}, {"delivery", delivery}};
}

// As the argument of a script's command.
inline std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

inline void check_equals_server(const Recorder& seen, ksr::testserver::ApiServer& server,
                                const std::string& resource = "pods") {
  const Contents expected = server.contents(resource);
  seen.wait([&](const Recorder& now) { return now.updates() > 0 && now.contents() == expected; });
  CHECK(seen.contents() == expected);
  CHECK(seen.violations() == std::vector<std::string>{});
}

}  // namespace ksr::testing

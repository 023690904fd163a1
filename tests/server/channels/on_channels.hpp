// A scriptable server with a running pod, and the keys of channels to it; used by the tests of server.channels. Lives
// on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/cases/on_server.hpp"
#include "support/channel_user.hpp"
#include "support/requester.hpp"
#include "support/text.hpp"

namespace ksr::testing {

// "web" in the namespace default with one container, "main", that has started `restarts` times before. ID is
// containerd://RESTARTS.
inline std::string running_pod(int restarts = 0, const std::string& state = R"({"running":{}})") {
  const std::string number = std::to_string(restarts);
  return R"({"spec":{"nodeName":"n","containers":[{"name":"main","image":"i"}]},"status":{"phase":"Running",)"
         R"("containerStatuses":[{"name":"main","containerID":"containerd://)" +
         number + R"(","restartCount":)" + number + R"(,"state":)" + state + "}]}}";
}

class ChannelServer {
 public:
  explicit ChannelServer(testserver::ServerOptions options = with_token()) : server(std::move(options)) {
    server.script("create pods web " + running_pod());
  }

  Settings client_settings() const { return {{"server", server.url()}, {"token", kTestToken}}; }

  testserver::ApiServer server;
};

constexpr const char* kProtocols = "Sec-WebSocket-Protocol";

inline Settings of_pod(const std::string& kind, Settings more = {}) {
  Settings settings{{"kind", kind}, {"namespace", "default"}, {"name", "web"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

inline Settings exec_of(Settings more = {}) {
  Settings settings = of_pod("exec", {{"command", "run"}, {"container", "main"}});
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

inline Settings with(Settings settings, const Settings& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

using ksr::testing::has;

// "abc…z" again and again, as the server's out-bytes.
inline std::string alphabet(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

}  // namespace ksr::testing

// Channels through a Headlamp server: what its frontend's terminal and logs do.
#include <string>
#include <vector>

#include "base/base64.hpp"
#include "server/channels/on_channels.hpp"

using namespace ksr::testing;
using ksr::testserver::RecordedRequest;
using ksr::testserver::ServerOptions;

namespace {

constexpr const char* kBackendToken = "backend-token-of-the-desktop";
constexpr const char* kPods = "/api/v1/namespaces/default/pods/web";

ServerOptions behind_headlamp() {
  ServerOptions options = with_token();
  options.headlamp.emplace();
  options.headlamp->backend_token = kBackendToken;
  options.headlamp->clusters = {"prod"};
  return options;
}

Settings known(const ChannelServer& on) {
  return {{"headlamp_url", on.server.url()},
          {"headlamp_cluster", "prod"},
          {"headlamp_token", kBackendToken},
          {"token", kTestToken}};
}

// A cluster that the server knows from the requests alone, with the user in the kubeconfig.
Settings stateless(const ChannelServer& on) {
  const std::string kubeconfig = std::string("apiVersion: v1\nusers: [{user: {token: ") + kTestToken + "}}]\n";
  return {{"headlamp_url", on.server.url()},
          {"headlamp_cluster", "mine"},
          {"headlamp_token", kBackendToken},
          {"headlamp_kubeconfig", ksr::base64_encode(kubeconfig)},
          {"headlamp_user_id", "user_1-a"}};
}

}  // namespace

TEST_CASE("exec, logs and port-forward through Headlamp, also where it has forgotten the cluster") {
  for (const bool is_known : {true, false}) {
    CAPTURE(is_known);
    ChannelServer on(behind_headlamp());
    const Requester client(is_known ? known(on) : stateless(on));
    on.server.script("stream exec web out=hi exit=7\nlog web line=one end");
    for (int i = 0; i < 2; ++i) {
      on.server.script("headlamp forget");
      ChannelUser exec;
      REQUIRE(exec.open(client.client(), exec_of()) == KSR_OK);
      CHECK(exec.wait().exit_code == 7);
      CHECK(exec.bytes(KSR_PART_STDOUT) == "hi");
    }
    on.server.script("headlamp forget");
    ChannelUser log;
    REQUIRE(log.open(client.client(), of_pod("log")) == KSR_OK);
    CHECK(log.wait().status == KSR_OK);
    CHECK(log.bytes(KSR_PART_STDOUT) == "one\n");
    on.server.script("headlamp forget");
    ChannelUser forward;
    REQUIRE(forward.open(client.client(), of_pod("portforward", {{"port", "80"}})) == KSR_OK);
    CHECK(forward.write_all(KSR_PART_DATA, "GET /") == KSR_OK);
    CHECK(forward.wait_for_bytes(KSR_PART_DATA, "GET /"));
    const std::string cluster = is_known ? "/clusters/prod/" : "/clusters/mine/";
    for (const RecordedRequest& request : on.server.requests()) CHECK(request.target.rfind(cluster, 0) == 0);
  }
}

TEST_CASE("Headlamp's own terminal: its subprotocols, channel bytes by hand") {
  ChannelServer on(behind_headlamp());
  const Requester client(known(on));
  on.server.script("stream exec web echo wait-resize=1 wait-bytes=3 exit=0");
  Settings settings{{"kind", "websocket"},
                    {"path", std::string(kPods) + "/exec?container=main&command=sh&stdin=1&stdout=1&stderr=1&tty=1"}};
  for (const char* protocol : {"v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"}) {
    settings.emplace_back("subprotocol", protocol);
  }
  ChannelUser user;
  REQUIRE(user.open(client.client(), settings) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_OPEN));
  CHECK(user.info("protocol") == "v4.channel.k8s.io");
  std::size_t taken = 0;
  const std::string size = "\x04{\"Width\":80,\"Height\":24}";
  CHECK(ksr_channel_write(user.channel(), KSR_PART_BINARY, size.data(), size.size(), 1'000, &taken) == KSR_OK);
  const std::string typed("\0ls\n", 4);
  CHECK(ksr_channel_write(user.channel(), KSR_PART_BINARY, typed.data(), typed.size(), 1'000, &taken) == KSR_OK);
  CHECK(user.wait().status == KSR_OK);
  const std::vector<std::string> messages = user.pieces(KSR_PART_BINARY);
  REQUIRE(messages.size() >= 2);
  CHECK(messages[messages.size() - 2] == "\x01ls\n");
  CHECK(has(messages.back(), R"("status":"Success")"));
  CHECK(user.info("close_code") == "1000");
  CHECK(on.server.streams().at(0).violations == std::vector<std::string>{});
}

TEST_CASE("Headlamp's own log: base64.binary.k8s.io, an empty message first") {
  ChannelServer on(behind_headlamp());
  const Requester client(known(on));
  on.server.script("log web line=one");
  ChannelUser user;
  REQUIRE(user.open(client.client(), {{"kind", "websocket"},
                                      {"path", std::string(kPods) + "/log?follow=true"},
                                      {"subprotocol", "base64.binary.k8s.io"}}) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_TEXT, ksr::base64_encode("one\n")));
  on.server.script("log web line=two end");
  CHECK(user.wait().status == KSR_OK);
  CHECK(user.bytes(KSR_PART_TEXT) == ksr::base64_encode("one\n") + ksr::base64_encode("two\n"));
}

TEST_CASE("the channel's protocol stands in the place of base64.binary.k8s.io, joined by comma and blank") {
  ChannelServer on(behind_headlamp());
  const Requester client(stateless(on));
  on.server.script("stream exec web exit=0");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of()) == KSR_OK);
  CHECK(user.wait().exit_code == 0);
  bool seen = false;
  for (const RecordedRequest& request : on.server.requests()) {
    if (!request.websocket) continue;
    seen = true;
    const std::string offered = request.header(kProtocols);
    CHECK(offered.rfind("v4.channel.k8s.io, base64url.headlamp", 0) == 0);
    CHECK_FALSE(has(offered, "base64.binary.k8s.io"));
  }
  CHECK(seen);
}

#include "request/channel_keys.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "unit/request/keys.hpp"

using namespace ksr;
using namespace ksr::request;
using namespace ksr::request::testing;
using channel::ChannelKind;

namespace {

// Empty: nothing contradicts.
std::string channel_contradiction(Pairs pairs) {
  Params params = params_of(pairs);
  return contradiction(check_channel(params));
}

bool starts(const std::string& text, const std::string& begin) {
  return text.rfind(begin, 0) == 0;
}

}  // namespace

TEST_CASE("what each kind needs") {
  CHECK(starts(channel_contradiction({}), "params key kind: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}}), "params key name: "));
  CHECK(channel_contradiction({{"kind", "log"}, {"name", "p"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "exec"}, {"name", "p"}}), "params key command: "));
  CHECK(starts(channel_contradiction({{"kind", "exec"}, {"name", "p"}, {"command", ""}}), "params key command: "));
  CHECK(channel_contradiction({{"kind", "exec"}, {"name", "p"}, {"command", "ls"}}).empty());
  CHECK(channel_contradiction({{"kind", "attach"}, {"name", "p"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "portforward"}, {"name", "p"}}), "params key port: "));
  CHECK(channel_contradiction({{"kind", "portforward"}, {"name", "p"}, {"port", "80"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "http"}}), "params key path: "));
  CHECK(channel_contradiction({{"kind", "http"}, {"path", "/healthz"}}).empty());
  CHECK(channel_contradiction({{"kind", "websocket"}, {"resource", "v1/pods"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "websocket"}, {"resource", "v1/pods"}, {"path", "/x"}}),
               "params key path: "));
}

TEST_CASE("keys that do not go with a kind, and those of requests, are refused by name") {
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"name", "p"}, {"stdin", "true"}}), "params key stdin: "));
  CHECK(starts(channel_contradiction({{"kind", "exec"}, {"name", "p"}, {"command", "ls"}, {"follow", "true"}}),
               "params key follow: "));
  CHECK(starts(channel_contradiction({{"kind", "attach"}, {"name", "p"}, {"command", "ls"}}), "params key command: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"name", "p"}, {"verb", "get"}}), "params key verb: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"name", "p"}, {"timeout", "1s"}}), "params key timeout: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"name", "p"}, {"retries", "safe"}}), "params key retries: "));
  CHECK(channel_contradiction({{"kind", "http"}, {"path", "/x"}, {"retries", "safe"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"name", "p"}, {"path", "/x"}}), "params key path: "));
  CHECK(starts(channel_contradiction({{"kind", "http"}, {"path", "/x"}, {"send_buffer", "64Ki"}}),
               "params key send_buffer: "));
  Params params = params_of({{"kind", "exec"}, {"name", "p"}, {"command", "ls"}});
  set_body(params, "x");
  CHECK_FALSE(check_channel(params));
}

TEST_CASE("pods alone have logs, commands and ports") {
  for (const char* name : {"pods", "v1/pods", "po", "pod", "/api/v1/pods"}) {
    CHECK(channel_contradiction({{"kind", "log"}, {"resource", name}, {"name", "p"}}).empty());
  }
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"resource", "apps/v1/deployments"}, {"name", "p"}}),
               "params key resource: "));
}

TEST_CASE("a terminal has one output and a size, and something is asked for") {
  const Pairs terminal{{"kind", "exec"}, {"name", "p"}, {"command", "sh"}, {"tty", "true"}};
  Params params = params_of(terminal);
  REQUIRE(check_channel(params));
  CHECK_FALSE(params.channel.wants_stderr);
  CHECK(starts(
      channel_contradiction({{"kind", "exec"}, {"name", "p"}, {"command", "sh"}, {"tty", "true"}, {"stderr", "true"}}),
      "params key stderr: "));
  CHECK(starts(
      channel_contradiction({{"kind", "exec"}, {"name", "p"}, {"command", "sh"}, {"columns", "80"}, {"rows", "24"}}),
      "params key columns: "));
  CHECK(starts(
      channel_contradiction({{"kind", "exec"}, {"name", "p"}, {"command", "sh"}, {"tty", "true"}, {"columns", "80"}}),
      "params key rows: "));
  CHECK(starts(channel_contradiction(
                   {{"kind", "exec"}, {"name", "p"}, {"command", "sh"}, {"stdout", "false"}, {"stderr", "false"}}),
               "params key stdout: "));
}

TEST_CASE("values that a key does not take leave it as it was") {
  Params params = params_of({{"kind", "exec"}, {"command", "ls"}});
  for (const auto& [key, value] :
       {std::pair("kind", "shell"), std::pair("port", "0"), std::pair("port", "65536"), std::pair("columns", "0"),
        std::pair("rows", "70000"), std::pair("tail", "-1"), std::pair("since", "yesterday"), std::pair("since", "0"),
        std::pair("limit_bytes", "0"), std::pair("tty", "yes"), std::pair("exec_protocol", "v3"),
        std::pair("subprotocol", "a b"), std::pair("receive_buffer", "1"), std::pair("container", "A/B")}) {
    const Expected<void> set = set_param(params, key, value);
    REQUIRE_FALSE(set);
    CHECK(set.error().status == Status::invalid);
    CHECK(starts(set.error().message, "params key " + std::string(key) + ": "));
  }
  CHECK(params.channel.kind == ChannelKind::exec);
  CHECK(params.channel.command == std::vector<std::string>{"ls"});
  CHECK(params.channel.port == 0);
}

TEST_CASE("lists grow with add and begin again with set") {
  Params params;
  REQUIRE(add_param(params, "command", "sh"));
  REQUIRE(add_param(params, "command", "-c"));
  REQUIRE(add_param(params, "command", ""));
  CHECK(params.channel.command == std::vector<std::string>{"sh", "-c", ""});
  REQUIRE(set_param(params, "command", "ls"));
  CHECK(params.channel.command == std::vector<std::string>{"ls"});
  CHECK_FALSE(add_param(params, "port", "80"));
}

TEST_CASE("since is a duration or a time") {
  CHECK(params_of({{"since", "90s"}}).channel.since_seconds == 90);
  CHECK(params_of({{"since", "1ms"}}).channel.since_seconds == 1);
  const Params params = params_of({{"since", "5m"}, {"since", "2026-01-02T03:04:05Z"}});
  CHECK_FALSE(params.channel.since_seconds);
  CHECK(params.channel.since_time == "2026-01-02T03:04:05Z");
}

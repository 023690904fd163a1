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
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"name", "p"}}), "params key namespace: "));
  CHECK(channel_contradiction({{"kind", "log"}, {"name", "p"}, {"namespace", "@context"}}).empty());
  CHECK(channel_contradiction({{"kind", "log"}, {"namespace", "n"}, {"name", "p"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}}), "params key command: "));
  CHECK(starts(channel_contradiction({{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", ""}}),
               "params key command: "));
  CHECK(channel_contradiction({{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", "ls"}}).empty());
  CHECK(channel_contradiction({{"kind", "attach"}, {"namespace", "n"}, {"name", "p"}}).empty());
  CHECK(
      starts(channel_contradiction({{"kind", "portforward"}, {"namespace", "n"}, {"name", "p"}}), "params key port: "));
  CHECK(channel_contradiction({{"kind", "portforward"}, {"namespace", "n"}, {"name", "p"}, {"port", "80"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "http"}}), "params key path: "));
  CHECK(channel_contradiction({{"kind", "http"}, {"path", "/healthz"}}).empty());
  CHECK(channel_contradiction({{"kind", "websocket"}, {"resource", "v1/pods"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "websocket"}, {"resource", "v1/pods"}, {"path", "/x"}}),
               "params key path: "));
}

TEST_CASE("keys that do not go with a kind, and those of requests, are refused by name") {
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"namespace", "n"}, {"name", "p"}, {"stdin", "true"}}),
               "params key stdin: "));
  CHECK(starts(channel_contradiction(
                   {{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", "ls"}, {"follow", "true"}}),
               "params key follow: "));
  CHECK(starts(channel_contradiction({{"kind", "attach"}, {"namespace", "n"}, {"name", "p"}, {"command", "ls"}}),
               "params key command: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"namespace", "n"}, {"name", "p"}, {"verb", "get"}}),
               "params key verb: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"namespace", "n"}, {"name", "p"}, {"timeout", "1s"}}),
               "params key timeout: "));
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"namespace", "n"}, {"name", "p"}, {"retries", "safe"}}),
               "params key retries: "));
  CHECK(channel_contradiction({{"kind", "http"}, {"path", "/x"}, {"retries", "safe"}}).empty());
  CHECK(starts(channel_contradiction({{"kind", "log"}, {"namespace", "n"}, {"name", "p"}, {"path", "/x"}}),
               "params key path: "));
  CHECK(starts(channel_contradiction({{"kind", "http"}, {"path", "/x"}, {"send_buffer", "64Ki"}}),
               "params key send_buffer: "));
  Params params = params_of({{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", "ls"}});
  set_body(params, "x");
  CHECK_FALSE(check_channel(params));
}

TEST_CASE("http and websocket are checked as requests are") {
  const auto http = [](Pairs pairs) {
    Params params = params_of(pairs);
    REQUIRE(set_param(params, "kind", "http"));
    return contradiction(check_channel(params));
  };
  CHECK(http({{"resource", "v1/pods"}, {"namespace", "n"}, {"name", "p"}, {"subresource", "log"}}).empty());
  CHECK(starts(http({{"resource", "v1/pods"}, {"namespace", "n"}, {"subresource", "log"}}), "params key name: "));
  CHECK(starts(http({{"path", "/x"}, {"name", "p"}}), "params key name: "));
  CHECK(starts(http({{"path", "/x"}, {"namespace", "n"}}), "params key namespace: "));
  CHECK(starts(http({{"path", "/x"}, {"subresource", "log"}}), "params key subresource: "));
  CHECK(starts(http({{"resource", "v1/pods"}, {"scope", "headlamp"}}), "params key scope: "));
  for (const char* method : {"DELETE", "PUT", "PATCH"}) {
    CHECK(starts(http({{"method", method}, {"resource", "v1/pods"}, {"namespace", "n"}}), "params key name: "));
    CHECK(http({{"method", method}, {"resource", "v1/pods"}, {"namespace", "n"}, {"name", "p"}}).empty());
    CHECK(http({{"method", method}, {"path", "/api/v1/namespaces/n/pods"}}).empty());
  }
  CHECK(http({{"method", "POST"}, {"resource", "v1/pods"}, {"namespace", "n"}}).empty());
  CHECK(starts(http({{"method", "POST"}, {"resource", "v1/pods"}, {"namespace", "n"}, {"name", "p"}}),
               "params key name: "));
  CHECK(http({{"method", "POST"}, {"resource", "v1/pods"}, {"namespace", "n"}, {"name", "p"}, {"subresource", "proxy"}})
            .empty());
  for (const char* method : {"", "GET", "HEAD", "POST"}) {
    Params params = params_of({{"kind", "http"}, {"path", "/x"}});
    if (*method != '\0') REQUIRE(set_param(params, "method", method));
    set_body(params, "x");
    CHECK(contradiction(check_channel(params)).empty() == (method == std::string("POST")));
  }
  CHECK(starts(channel_contradiction({{"kind", "websocket"}, {"resource", "v1/pods"}, {"subresource", "proxy"}}),
               "params key name: "));
}

TEST_CASE("a parameter that the library sets itself is set by its key alone") {
  const auto query = [](const char* kind, const char* name) {
    Params params = params_of({{"kind", kind}, {"namespace", "n"}, {"name", "p"}});
    REQUIRE(set_param(params, std::string("query.") + name, "1"));
    if (kind == std::string("exec")) REQUIRE(set_param(params, "command", "ls"));
    if (kind == std::string("portforward")) REQUIRE(set_param(params, "port", "80"));
    return contradiction(check_channel(params));
  };
  for (const char* name :
       {"container", "follow", "previous", "timestamps", "tailLines", "sinceSeconds", "sinceTime", "limitBytes"}) {
    CHECK(starts(query("log", name), "params key query." + std::string(name) + ": "));
  }
  for (const char* name : {"container", "command", "stdin", "stdout", "stderr", "tty"}) {
    CHECK(starts(query("exec", name), "params key query." + std::string(name) + ": "));
    CHECK(starts(query("attach", name), "params key query." + std::string(name) + ": "));
  }
  CHECK(starts(query("portforward", "ports"), "params key query.ports: "));
  CHECK(query("log", "stream").empty());
  CHECK(query("exec", "tailLines").empty());
}

TEST_CASE("pods alone have logs, commands and ports") {
  for (const char* name : {"pods", "v1/pods", "po", "pod", "/api/v1/pods"}) {
    CHECK(channel_contradiction({{"kind", "log"}, {"resource", name}, {"namespace", "n"}, {"name", "p"}}).empty());
  }
  CHECK(starts(
      channel_contradiction({{"kind", "log"}, {"resource", "apps/v1/deployments"}, {"namespace", "n"}, {"name", "p"}}),
      "params key resource: "));
}

TEST_CASE("a terminal has one output and a size, and something is asked for") {
  const Pairs terminal{{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", "sh"}, {"tty", "true"}};
  Params params = params_of(terminal);
  REQUIRE(check_channel(params));
  CHECK_FALSE(params.channel.wants_stderr);
  CHECK(starts(channel_contradiction({{"kind", "exec"},
                                      {"namespace", "n"},
                                      {"name", "p"},
                                      {"command", "sh"},
                                      {"tty", "true"},
                                      {"stderr", "true"}}),
               "params key stderr: "));
  CHECK(starts(
      channel_contradiction(
          {{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", "sh"}, {"columns", "80"}, {"rows", "24"}}),
      "params key columns: "));
  CHECK(starts(
      channel_contradiction(
          {{"kind", "exec"}, {"namespace", "n"}, {"name", "p"}, {"command", "sh"}, {"tty", "true"}, {"columns", "80"}}),
      "params key rows: "));
  CHECK(starts(channel_contradiction({{"kind", "exec"},
                                      {"namespace", "n"},
                                      {"name", "p"},
                                      {"command", "sh"},
                                      {"stdout", "false"},
                                      {"stderr", "false"}}),
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

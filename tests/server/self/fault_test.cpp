#include <doctest/doctest.h>

#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

constexpr const char* kPods = "/api/v1/pods";

std::unique_ptr<Events> watch_after(ApiServer& server, const std::string& transport, const std::string& fault) {
  server.script("clear\nfault watch pods " + fault);
  return watch(server, transport, kPodsWatch);
}

}  // namespace

TEST_CASE("a response in place of the real one, for the matching requests") {
  ApiServer server;
  server.script(
      "fault list pods answer 429 retry-after=7 times=2 skip=1\nfault watch * answer 503 body=<html> type=text/html");
  CHECK(ask(server, kPods).status == 200);
  CHECK(ask(server, "/api/v1/nodes").status == 200);
  CHECK(ask(server, kPods).header("Retry-After") == "7");
  CHECK(ask(server, kPods).json().at("reason") == "TooManyRequests");
  CHECK(ask(server, kPods).status == 200);
  const Answer html = ask(server, kPodsWatch);
  CHECK(html.status == 503);
  CHECK(html.body == "<html>");
  CHECK(html.header("Content-Type") == "text/html");
  server.script(
      "fault any /version redirect to=http://127.0.0.1:1/\nfault discovery * answer 410\nfault list * answer 500 "
      "times=forever");
  CHECK(ask(server, "/version").header("Location") == "http://127.0.0.1:1/");
  CHECK(ask(server, "/apis").status == 410);
  CHECK(ask(server, kPods).status == 500);
  server.script("clear");
  CHECK(ask(server, kPods).status == 200);
}

TEST_CASE("a response that is cut, misframed or without end") {
  ApiServer server;
  server.script("populate pods 10");
  for (const char* fault : {"cut bytes=0", "cut bytes=10", "cut bytes=500", "cut bytes=500 reset=true", "bad-chunk"}) {
    CAPTURE(fault);
    server.script(std::string("fault list pods ") + fault);
    CHECK_THROWS(ask(server, kPods));
  }
  server.script("fault list pods endless-headers");
  CHECK_THROWS(ask(server, kPods));
  CHECK(names_of(ask(server, kPods).json()).size() == 10);
}

TEST_CASE("a response that is slow, or stops until the connection is dropped") {
  ApiServer server;
  server.script("populate pods 3");
  server.script("fault list pods slow bytes=100 every=1ms");
  CHECK(names_of(ask(server, kPods).json()).size() == 3);
  for (const char* fault : {"fault list pods stall", "fault list pods stall bytes=300"}) {
    server.script(std::string(fault) + "\nevery 50ms drop connections");
    CHECK_THROWS(ask(server, kPods));
  }
}

TEST_CASE("pages without end, invalid items, and another content type") {
  ApiServer server;
  server.script("populate pods 3\nfault list pods empty-pages times=forever");
  std::string token;
  for (int page = 0; page < 5; ++page) {
    const Answer empty = ask(server, kPods + std::string("?limit=2&continue=") + token);
    CHECK(names_of(empty.json()).empty());
    token = empty.json().at("metadata").at("continue").as_string().c_str();
  }
  server.script("clear\nfault list pods huge bytes=2Mi");
  CHECK(ask(server, kPods).body.size() > 2 * 1024 * 1024);
  server.script("fault list pods garbage");
  CHECK_THROWS(ask(server, kPods).json());
  server.script("fault list pods content-type text=text/plain");
  CHECK(ask(server, kPods).header("Content-Type") == "text/plain");
}

TEST_CASE("watches that end within an event or send invalid events") {
  for (const char* const transport : {"http", "websocket"}) {
    CAPTURE(transport);
    ApiServer server;
    server.script("create pods a\ncreate pods b");
    auto events = watch_after(server, transport, "cut-event event=2");
    CHECK(events->summary() == "ADDED a");
    CHECK_THROWS(events->next());
    events = watch_after(server, transport, "half-event event=2");
    CHECK(events->summary() == "ADDED a");
    CHECK_THROWS(events->event());
    CHECK_FALSE(events->next());
    events = watch_after(server, transport, "end event=1");
    CHECK(events->summary() == "ADDED a");
    CHECK_FALSE(events->next());
    events = watch_after(server, transport, "error-event 410 event=1");
    CHECK(events->summary() == "ADDED a");
    CHECK(events->event().second.at("reason") == "Expired");
    events = watch_after(server, transport, "inject text={\"type\":\"FUTURE\",\"object\":{}}");
    CHECK(events->event().first == "FUTURE");
    CHECK(events->summary() == "ADDED a");
    events = watch_after(server, transport, "huge bytes=1Mi event=1");
    CHECK(events->summary() == "ADDED a");
    CHECK(events->summary() == "ADDED huge");
    CHECK_THROWS(watch_after(server, transport, "cut bytes=20")->next());
  }
}

TEST_CASE("faults of WebSockets only") {
  ApiServer server;
  server.script("create pods a");
  CHECK(watch_after(server, "websocket", "fragment")->summary() == "ADDED a");
  CHECK_THROWS_WITH(watch_after(server, "websocket", "binary")->next(), "a binary message");
  CHECK_THROWS_WITH(watch_after(server, "websocket", "close-code 1011")->next(), "close code 1011");
  CHECK_THROWS(watch_after(server, "websocket", "bad-handshake"));
  CHECK_THROWS_WITH(watch_after(server, "websocket", "garbage")->next(), doctest::Contains("utf8"));
  server.script("fault watch pods answer 400 body= transport=websocket");
  CHECK(watch(server, "http", kPodsWatch)->summary() == "ADDED a");
  CHECK_THROWS_WITH(watch(server, "websocket", kPodsWatch), "refused: 400");
}

TEST_CASE("silence: mute, and no bookmarks") {
  ksr::testserver::ServerOptions options;
  options.bookmark_interval = std::chrono::milliseconds(5);
  ApiServer server(options);
  server.script("create pods a\nfault watch pods mute");
  CHECK_FALSE(watch(server, "http", std::string(kPodsWatch) + "&timeoutSeconds=1")->next());
  server.script("fault watch pods no-bookmarks");
  const auto events = watch(server, "http", std::string(kPodsWatch) + "&timeoutSeconds=1&allowWatchBookmarks=1");
  CHECK(events->summary() == "ADDED a");
  CHECK_FALSE(events->next());
}

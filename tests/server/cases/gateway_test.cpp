// Gateways between the library and the API server: they refuse, swallow, buffer, cut, and answer for it.
#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

constexpr std::uint64_t kOverHttp = 2;

std::size_t lines_with(const Recorder& seen, const std::string& words) {
  std::size_t count = 0;
  for (const std::string& line : seen.log()) count += line.find(words) != std::string::npos ? 1 : 0;
  return count;
}

// A stream with transport=auto shows the objects and their changes, over HTTP and without an error.
void check_served_over_http(const std::string& faults, const std::string& initial = "auto") {
  CAPTURE(faults);
  ApiServer server(with_token());
  server.script("populate pods 3\n" + faults);
  Recorder seen;
  REQUIRE(seen.open(with(on_server(server, "auto"), "initial", initial)) == KSR_OK);
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  server.script("create pods new");
  CHECK(seen.wait_name("new"));
  CHECK(seen.wait([](const Recorder& now) { return now.stat("transport") == kOverHttp; }));
  check_equals_server(seen, server);
  CHECK(seen.errors().empty());
  CHECK(lines_with(seen, "watching over HTTP, since") == 1);
}

// What a list of one object without versions looks like.
std::string json_list(const std::string& kind, const std::string& list_metadata, const std::string& item) {
  return R"({"kind":")" + kind + R"(","apiVersion":"v1","metadata":{)" + list_metadata + R"(},"items":[)" + item + "]}";
}

}  // namespace

TEST_CASE("a gateway refuses WebSocket handshakes with an answer of its own: HTTP at once") {
  const std::string page = " body=\"<html>no</html>\" type=text/html transport=websocket times=forever";
  for (const char* status : {"200", "302", "401", "403", "404", "500", "502", "503"}) {
    check_served_over_http("fault watch pods answer " + std::string(status) + page);
  }
  check_served_over_http(
      "fault watch pods answer 403 body=\"{\\\"error\\\":\\\"denied\\\"}\" type=application/json "
      "transport=websocket times=forever",
      "list");
}

TEST_CASE("a gateway passes a WebSocket handshake on as a plain request: its 200 is not read") {
  for (const char* initial : {"auto", "list"}) {
    check_served_over_http("fault watch pods no-upgrade transport=websocket times=forever", initial);
  }
}

TEST_CASE("a gateway answers a handshake with 101 and nothing after it") {
  for (const char* fault : {"hang-up", "close-code 1011", "close-code 1000"}) {
    ApiServer server(with_token());
    server.script("populate pods 3\nfault watch pods " + std::string(fault) + " transport=websocket times=forever");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, "auto")) == KSR_OK);
    CHECK(seen.wait([](const Recorder& now) { return now.stat("transport") == kOverHttp; }));
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
    std::size_t websockets = 0;
    for (const auto& request : server.requests()) websockets += request.websocket ? 1 : 0;
    CHECK(websockets == 2);
  }
}

TEST_CASE("only a Status is the API's word about a watch") {
  ApiServer server(with_token());
  server.script("populate pods 3\ndeny admin watch pods");
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "auto")) == KSR_OK);
  REQUIRE(seen.wait_error(KSR_E_FORBIDDEN));
  CHECK(seen.count() == 3);
  for (const auto& request : server.requests()) {
    if (request.target.find("watch") != std::string::npos) CHECK(request.websocket);
  }
}

TEST_CASE("a gateway buffers: the head of a watch comes with the first event, or with the end, or only the head") {
  for (const auto& [transport, fault] :
       {std::pair("http", "hold-head"), std::pair("auto", "hold-head"), std::pair("http", "withhold"),
        std::pair("auto", "withhold"), std::pair("http", "withhold-events"), std::pair("auto", "withhold-events")}) {
    CAPTURE(transport);
    CAPTURE(fault);
    ApiServer server(with_token());
    server.script(std::string("populate pods 3\nfault watch pods ") + fault + " times=forever");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.count() == 3);
    CHECK(seen.stat("transport") == kOverHttp);
    const std::uint64_t watches = seen.stat("watches");
    CHECK(seen.wait([&](const Recorder& now) { return now.stat("watches") >= watches + 3; }));
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
    CHECK(seen.stat("lists") == 1);
    CHECK(lines_with(seen, "watches over HTTP are held back") == 1);
    CHECK(seen.errors().empty());
  }
}

TEST_CASE("a gateway cuts each connection after some time") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3\nfault any * cut-after every=400ms times=forever");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_count(3));
    for (const char* name : {"one", "two", "three"}) {
      server.script(std::string("create pods ") + name);
      CHECK(seen.wait_name(name));
      CHECK(seen.wait([watches = seen.stat("watches")](const Recorder& now) { return now.stat("watches") > watches; }));
    }
    check_equals_server(seen, server);
  });
}

TEST_CASE("an HTTP/1.0 upstream: responses end with their connection") {
  for (const char* initial : {"list", "auto"}) {
    ApiServer server(with_token());
    server.script("populate pods 300\nfault any * http10 transport=http times=forever");
    Recorder seen;
    REQUIRE(seen.open(with(on_server(server, "http", "pods"), "initial", initial)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
    CHECK(seen.errors().empty());
  }
}

TEST_CASE("each wait has a limit as a whole: bytes that drip do not extend it") {
  const auto check_times_out = [](const std::string& script, const std::string& words, Settings more,
                                  const std::string& resource = "v1/pods") {
    CAPTURE(script);
    ApiServer server(with_token());
    server.script("populate pods 300\n" + script);
    Recorder seen;
    Settings settings = on_server(server, "auto", resource);
    settings.insert(settings.end(), more.begin(), more.end());
    REQUIRE(seen.open(settings) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_TIMEOUT));
    CAPTURE(seen.errors().front().message);
    CHECK(seen.errors().front().message.find(words) != std::string::npos);
    CHECK(seen.updates() == 0);
    server.script("clear\ndrop connections");
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    check_equals_server(seen, server);
  };
  const Settings short_request{{"request_timeout", "300ms"}};
  check_times_out("fault list pods slow bytes=1 every=20ms times=forever", "complete within 300 ms", short_request);
  check_times_out("fault list pods slow bytes=20 every=20ms times=forever", "initial_timeout",
                  {{"initial_timeout", "1s"}, {"page_size", "0"}});
  check_times_out("fault discovery * slow bytes=100 every=500ms times=forever", "did not end within",
                  {{"request_timeout", "1500ms"}}, "pods");
}

TEST_CASE("the head of a watch over HTTP that drips: the view is live after a second, and the error told in the end") {
  ApiServer server(with_token());
  server.script("populate pods 3\nfault watch pods slow bytes=1 every=200ms times=forever");
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "http")) == KSR_OK);
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  check_equals_server(seen, server);
  REQUIRE(seen.wait_error(KSR_E_TIMEOUT));
  server.script("clear\ndrop connections\ncreate pods new");
  CHECK(seen.wait_name("new"));
  check_equals_server(seen, server);
}

TEST_CASE("initial events that drip: a list instead, within initial_timeout") {
  ApiServer server(with_token());
  server.script("populate pods 300\nfault watch pods slow bytes=300 every=10ms times=1");
  Recorder seen;
  REQUIRE(seen.open(with(with(on_server(server, "http"), "initial", "watchlist"), "initial_timeout", "1s")) == KSR_OK);
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  check_equals_server(seen, server);
  CHECK(seen.stat("lists") == 1);
  CHECK(seen.errors().empty());
}

TEST_CASE("a list larger than max_view_bytes is not taken") {
  for (const char* initial : {"list", "watchlist"}) {
    ApiServer server(with_token());
    server.script("populate pods 100");
    Recorder seen;
    REQUIRE(seen.open(with(with(on_server(server, "auto"), "initial", initial), "max_view_bytes", "4Ki")) == KSR_OK);
    REQUIRE(seen.wait_error(KSR_E_TOO_LARGE));
    CHECK(seen.errors().front().message.find("max_view_bytes (4096 bytes)") != std::string::npos);
    CHECK(seen.errors().front().retry_ms >= 30'000);
    CHECK(seen.updates() == 0);
    CHECK(seen.stat("objects") == 0);
  }
}

TEST_CASE("a listKind that does not end in List; the kind comes from the items") {
  ApiServer server(with_token());
  const std::string item =
      R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"d","uid":"u","resourceVersion":"1"}})";
  server.script("fault watch pods mute times=forever\nfault list pods answer 200 times=forever body=" +
                quoted(json_list("PodCollection", R"("resourceVersion":"1")", item)));
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "auto")) == KSR_OK);
  CHECK(seen.wait_name("a"));
  CHECK(seen.errors().empty());
}

TEST_CASE("a list without versions, and objects without versions and uids, are shown") {
  ApiServer server(with_token());
  const std::string item = R"({"metadata":{"name":"a","namespace":"d"},"usage":"5m"})";
  server.script("fault list pods answer 200 times=forever body=" + quoted(json_list("PodList", "", item)));
  Recorder seen;
  REQUIRE(seen.open(on_server(server, "auto")) == KSR_OK);
  CHECK(seen.wait_name("a"));
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  CHECK(seen.contents() == Contents{{"d/a", ""}});
  CHECK(seen.errors().empty());
  for (const auto& request : server.requests()) {
    if (request.target.find("watch") != std::string::npos) {
      CHECK(request.target.find("resourceVersion=") == std::string::npos);
    }
  }
}

TEST_CASE("a resource that answers a watch 405 is listed again and again, and the error told once") {
  for (const char* initial : {"auto", "list"}) {
    for (const char* transport : {"auto", "http", "websocket"}) {
      CAPTURE(initial);
      CAPTURE(transport);
      ApiServer server(with_token());
      const std::string status =
          R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"MethodNotAllowed","code":405})";
      server.script("populate pods 3\nfault watch pods answer 405 times=forever body=" + quoted(status));
      Recorder seen;
      Settings settings = with(on_server(server, transport), "initial", initial);
      REQUIRE(seen.open(with(settings, "watch_timeout", "1s")) == KSR_OK);
      CHECK(seen.wait_count(3));
      REQUIRE(seen.wait_error(KSR_E_SERVER));
      CHECK(seen.errors().front().http_status == 405);
      server.script("create pods new");
      CHECK(seen.wait_name("new"));
      CHECK(seen.wait([](const Recorder& now) { return now.stat("lists") >= 3; }));
      CHECK(seen.errors().size() == 1);
      CHECK(seen.wait_state(KSR_STATE_WAITING));
      check_equals_server(seen, server);
    }
  }
}

// Faults of servers, networks and proxies in a watch, and how the stream recovers.
#include <algorithm>

#include "server/cases/on_server.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

// Runs a stream while `script` causes faults, changes objects meanwhile, and compares in the end.
void check_recovers(const std::string& transport, const std::string& script, const std::string& resource = "pods",
                    Settings more = {}) {
  CAPTURE(script);
  ApiServer server(with_token());
  server.script("populate " + resource + " 20");
  Recorder seen;
  Settings settings = on_server(server, transport, "v1/" + resource);
  settings.insert(settings.end(), more.begin(), more.end());
  REQUIRE(seen.open(settings) == KSR_OK);
  REQUIRE(seen.wait_state(KSR_STATE_LIVE));
  const std::string name = resource.substr(0, resource.size() - 1);
  server.script(script);
  server.script("delete " + resource + " " + name + "-0\nupdate " + resource + " " + name + "-1\ncreate " + resource +
                " new");
  CHECK(seen.wait_name("new"));
  server.script("create " + resource + " newer");
  CHECK(seen.wait_name("newer"));
  check_equals_server(seen, server, resource);
  CHECK(seen.wait_state(KSR_STATE_LIVE));
}

}  // namespace

TEST_CASE("a connection that ends, cleanly or not, at any point") {
  on_both_transports([](const std::string& transport) {
    check_recovers(transport, "drop connections");
    check_recovers(transport, "drop connections reset");
    check_recovers(transport, "fault watch pods cut-event event=2\ndrop connections");
    check_recovers(transport, "fault watch pods half-event event=1\ndrop connections");
    check_recovers(transport, "fault watch pods end event=1 times=3\ndrop connections");
    check_recovers(transport, "fault watch pods end times=3\ndrop connections");
    for (int bytes : {1, 30, 80, 200, 400, 700}) {
      check_recovers(transport, "fault watch pods cut bytes=" + std::to_string(bytes) + "\ndrop connections");
    }
  });
}

TEST_CASE("410 in each of its forms") {
  on_both_transports([](const std::string& transport) {
    check_recovers(transport, "drop connections\ncompact");                                   // the first event
    check_recovers(transport, "fault watch pods error-event 410 event=1\ndrop connections");  // a later event
    check_recovers(transport, "fault watch pods answer 410\ndrop connections");               // the status of the watch
    check_recovers(transport, "fault watch pods answer 410\nfault list pods answer 410\ndrop connections");
    check_recovers(transport, "compact\ndrop connections", "events");  // a clean end without an event
  });
}

// etcdutl snapshot restore --bump-revision --mark-compacted.
TEST_CASE("an etcd that was restored from a backup, with versions that went on, is shown as it is") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("create configmaps a\ncreate configmaps gone");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport, "v1/configmaps")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    REQUIRE(seen.wait_count(2));
    const Contents backup = seen.contents();
    std::string items;
    for (const SeenDelta& object : seen.deltas()) {
      items += std::string(items.empty() ? "" : ",") + R"({"metadata":{"name":")" + object.name + R"(","namespace":")" +
               object.ns + R"(","uid":")" + object.uid + R"(","resourceVersion":")" + object.resource_version +
               R"("}})";
    }
    server.script("update configmaps a\ncreate configmaps new\ndelete configmaps gone");
    REQUIRE(seen.wait_name("gone", false));
    const std::string list = R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":")" +
                             seen.resource_version() + R"("},"items":[)" + items + "]}";
    server.script("fault list configmaps answer 200 type=application/json body=" + quoted(list) +
                  "\nfault watch configmaps answer 410\ndrop connections");
    CHECK(seen.wait([&](const Recorder& now) { return now.contents() == backup; }));
    CHECK(seen.wait_state(KSR_STATE_LIVE));
    CHECK(seen.violations() == std::vector<std::string>{"back in time: a"});
  });
}

// The watch is taken at a version that the server has not come to, and stays silent.
TEST_CASE("an etcd that was restored from a backup, with versions that went back, is shown as it is") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("create configmaps a");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport, "v1/configmaps")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    REQUIRE(seen.wait_count(1));
    const SeenDelta old = seen.deltas().back();
    const std::string list = R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"2"},"items":[)"
                             R"({"metadata":{"name":"a","namespace":")" +
                             old.ns + R"(","uid":")" + old.uid + R"(","resourceVersion":"2"}}]})";
    server.script("update configmaps a\nupdate configmaps a");
    REQUIRE(
        seen.wait([&](const Recorder& now) { return now.deltas().back().resource_version != old.resource_version; }));
    const std::size_t lists = server.count_requests("list");
    server.script("fault list configmaps answer 200 type=application/json times=4 body=" + quoted(list) +
                  "\ndrop connections reset");
    const auto watches_from_there = [&] {
      const auto requests = server.requests();
      return std::any_of(requests.begin(), requests.end(), [](const ksr::testserver::RecordedRequest& request) {
        return request.target.find("watch=") != std::string::npos &&
               request.target.find("resourceVersion=2&") != std::string::npos;
      });
    };
    CHECK(seen.wait([&](const Recorder&) { return watches_from_there(); }));
    CHECK(seen.wait([&](const Recorder& now) { return now.contents() == server.contents("configmaps"); }));
    CHECK(server.count_requests("list") == lists + 4);
  });
}

TEST_CASE("temporary refusals") {
  on_both_transports([](const std::string& transport) {
    check_recovers(transport, "fault watch pods answer 429 retry-after=1\ndrop connections");
    check_recovers(transport, "fault watch pods answer 503 times=2\ndrop connections");
    check_recovers(transport, "fault watch pods answer 401\ndrop connections");
    check_recovers(transport, "fault watch pods answer 500 body=oops type=text/plain times=2\ndrop connections");
    check_recovers(transport, "fault watch pods error-event 500\ndrop connections");
    check_recovers(transport,
                   "fault watch pods inject text={\"type\":\"FUTURE\",\"object\":{}} event=0\ndrop connections");
  });
}

TEST_CASE("an expired continue token restarts the list, without lost or duplicate objects") {
  ApiServer server(with_token());
  server.script("populate pods 300\nfault list pods answer 410 skip=2");
  Recorder seen;
  REQUIRE(seen.open(with(on_server(server, "auto"), "page_size", "50")) == KSR_OK);
  check_equals_server(seen, server);
  CHECK(seen.updates() == 1);
}

TEST_CASE("transport=auto falls back to HTTP where WebSockets are refused, and remembers it") {
  ApiServer server(with_token());
  server.script("populate pods 3\nfault watch pods answer 400 body= type=text/plain transport=websocket times=forever");
  Recorder first;
  REQUIRE(first.open(on_server(server, "auto")) == KSR_OK);
  REQUIRE(first.wait_state(KSR_STATE_LIVE));
  check_equals_server(first, server);
  const auto websockets = [&] {
    std::size_t count = 0;
    for (const auto& request : server.requests()) count += request.websocket ? 1 : 0;
    return count;
  };
  const std::size_t tried = websockets();
  CHECK(tried >= 1);
  Recorder second;
  REQUIRE(second.open(on_server(server, "auto")) == KSR_OK);
  REQUIRE(second.wait_state(KSR_STATE_LIVE));
  CHECK(websockets() == tried);
}

TEST_CASE("WatchList: one request delivers the state and its changes") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 50");
    Recorder seen;
    REQUIRE(seen.open(with(on_server(server, transport), "initial", "watchlist")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    CHECK(server.count_requests("list") == 0);
    server.script("create pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
  });
}

TEST_CASE("WatchList falls back to a list where it is refused or silent") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("watchlist off\npopulate pods 5");
    Recorder seen;
    REQUIRE(seen.open(with(on_server(server, transport), "initial", "auto")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    check_equals_server(seen, server);
    CHECK(server.count_requests("list") >= 1);
  });
}

TEST_CASE(
    "what is sent: Origin, at most one subprotocol, allowWatchBookmarks, encoded selectors, the configured headers") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    Recorder seen;
    Settings settings = with(on_server(server, transport), "label_selector", "app in (a, b),!x/y");
    settings = with(with(settings, "namespace", "kube-system"), "header.X-Trace", "on");
    REQUIRE(seen.open(with(settings, "user_agent", "tests/1")) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    const auto requests = server.requests();
    REQUIRE(requests.size() >= 4);
    // Discovery comes first: whether pods are namespaced. Then, once for the server, whether it streams lists.
    CHECK(requests[0].target == "/api/v1");
    CHECK(requests[1].target == "/version");
    const auto& list = requests[2];
    const auto& watch = requests[3];
    CHECK(list.target.find("/api/v1/namespaces/kube-system/pods?") == 0);
    CHECK(list.target.find("labelSelector=app%20in%20%28a%2C%20b%29%2C%21x%2Fy") != std::string::npos);
    CHECK(list.target.find("limit=") == std::string::npos);
    CHECK(watch.target.find("allowWatchBookmarks=true") != std::string::npos);
    CHECK(watch.target.find("resourceVersion=") != std::string::npos);
    CHECK(watch.target.find("timeoutSeconds=") != std::string::npos);
    for (const auto& request : requests) {
      CHECK(request.header("Authorization") == std::string("Bearer ") + kTestToken);
      CHECK(request.header("X-Trace") == "on");
      CHECK(request.header("User-Agent") == "tests/1");
    }
    if (transport == "websocket") {
      CHECK(watch.websocket);
      CHECK(watch.header("Origin") == server.url());
      CHECK(watch.header("Sec-WebSocket-Protocol").find(',') == std::string::npos);
    }
  });
}

TEST_CASE("bookmarks advance the version, so that a quiet stream survives a compaction") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 3");
    Recorder seen;
    REQUIRE(seen.open(on_server(server, transport)) == KSR_OK);
    REQUIRE(seen.wait_state(KSR_STATE_LIVE));
    server.script("populate configmaps 50\nbookmark pods");
    REQUIRE(seen.wait([](const Recorder& now) { return now.stat("bookmarks") >= 1; }));
    server.script("compact\ndrop connections\nwait watches pods 1\ncreate pods new");
    CHECK(seen.wait_name("new"));
    check_equals_server(seen, server);
    CHECK(seen.stat("lists") == 1);
    CHECK(seen.stat("relists") == 0);
    CHECK(seen.stat("watches") >= 2);
    CHECK(seen.stat("fresh_ms") < 60'000);
  });
}

TEST_CASE("a large list is compressed, and a path prefix is kept") {
  auto options = with_token();
  options.path_prefix = "/k8s/clusters/c1";
  ApiServer server(options);
  server.script("populate pods 2000");
  Recorder seen;
  REQUIRE(seen.open(with(on_server(server, "auto"), "page_size", "0")) == KSR_OK);
  check_equals_server(seen, server);
  CHECK(server.requests()[0].header("Accept-Encoding") == "gzip");
  for (const auto& request : server.requests()) {
    CAPTURE(request.target);
    CHECK(request.target.find("/k8s/clusters/c1/api/v1/pods") == 0);
  }
}

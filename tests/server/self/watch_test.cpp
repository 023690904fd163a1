#include <doctest/doctest.h>

#include "server/self/client.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

template <class Test>
void on_both_transports(Test test) {
  for (const char* transport : {"http", "websocket"}) {
    CAPTURE(transport);
    test(std::string(transport));
  }
}

boost::json::value json_text(std::uint64_t revision) {
  return boost::json::value(boost::json::string(std::to_string(revision)));
}

std::string since(std::uint64_t revision) {
  return "/api/v1/pods?watch=1&resourceVersion=" + std::to_string(revision);
}

}  // namespace

TEST_CASE("a watch from a revision sends what came after it, in order, then new events") {
  on_both_transports([](const std::string& transport) {
    ApiServer server;
    server.script("create pods a");
    const auto start = server.revision();
    server.script("create pods b\nupdate pods a\ndelete pods b");
    const auto events = watch(server, transport, since(start));
    CHECK(events->summary() == "ADDED b");
    CHECK(events->summary() == "MODIFIED a");
    const auto [type, object] = events->event();
    CHECK(type == "DELETED");
    CHECK(object.at("kind") == "Pod");
    CHECK(object.at("metadata").at("resourceVersion") == json_text(server.revision()));
    CHECK(server.open_watches("pods") == 1);
    server.script("wait watches po 1\ncreate pods c\ncreate configmaps other");
    CHECK(events->summary() == "ADDED c");
    server.script("create pods d");
    CHECK(events->summary() == "ADDED d");
  });
}

TEST_CASE("a watch without a revision or from 0 begins with the existing objects") {
  on_both_transports([](const std::string& transport) {
    ApiServer server;
    server.script("create pods b\ncreate pods a\ncreate pods other/c");
    for (const char* version : {"", "&resourceVersion=", "&resourceVersion=0"}) {
      const auto events = watch(server, transport, std::string("/api/v1/namespaces/default/pods?watch") + version);
      CHECK(events->summary() == "ADDED a");
      CHECK(events->summary() == "ADDED b");
    }
    const auto one = watch(server, transport, "/api/v1/namespaces/default/pods/b?watch=true");
    CHECK(one->summary() == "ADDED b");
    server.script("update pods a\nupdate pods b");
    CHECK(one->summary() == "MODIFIED b");
  });
}

TEST_CASE("objects that start or stop matching a selector are ADDED and DELETED") {
  on_both_transports([](const std::string& transport) {
    ApiServer server;
    server.script("create pods a app=web");
    const auto events = watch(server, transport, since(server.revision()) + "&labelSelector=app%3Dweb");
    server.script("create pods b app=db\nupdate pods a app=db\nupdate pods b app=web\ndelete pods b\ndelete pods a");
    CHECK(events->summary() == "DELETED a");
    CHECK(events->summary() == "ADDED b");
    CHECK(events->summary() == "DELETED b");
  });
}

TEST_CASE("bookmarks: by command, by interval, and at the end of the initial events") {
  on_both_transports([](const std::string& transport) {
    ksr::testserver::ServerOptions options;
    options.bookmark_interval = std::chrono::milliseconds(20);
    ApiServer server(options);
    server.script("create pods a\ncreate widgets w");
    const auto events = watch(server, transport,
                              "/api/v1/pods?watch=1&allowWatchBookmarks=true&sendInitialEvents=true"
                              "&resourceVersionMatch=NotOlderThan");
    CHECK(events->summary() == "ADDED a");
    const auto [type, end] = events->event();
    CHECK(type == "BOOKMARK");
    CHECK(end.at("metadata").at("annotations").at("k8s.io/initial-events-end") == "true");
    CHECK(end.at("spec").at("containers").is_null());
    CHECK(events->event().second.at("metadata").at("resourceVersion") == json_text(server.revision()));
    const auto widgets = watch(server, transport, "/apis/example.ksr.dev/v1/widgets?watch=1&allowWatchBookmarks=1");
    CHECK(widgets->summary() == "ADDED w");
    const auto line = widgets->next();
    REQUIRE(line);
    CHECK(line->rfind(R"({"type":"BOOKMARK","object":{"apiVersion":"example.ksr.dev/v1","kind":"Widget",)", 0) == 0);
    const auto deaf = watch(server, transport, since(server.revision()));
    server.script("bookmark pods\ncreate pods b");
    CHECK(deaf->summary() == "ADDED b");
  });
}

TEST_CASE("a compacted revision: an ERROR event and the end; for core/v1 events only the end") {
  on_both_transports([](const std::string& transport) {
    ApiServer server;
    server.script("create pods a\ncreate pods b\ncompact");
    const auto events = watch(server, transport, since(1001));
    const auto [type, status] = events->event();
    CHECK(type == "ERROR");
    CHECK(status.at("code").as_int64() == 410);
    CHECK(status.at("message") == "too old resource version: 1001 (1002)");
    CHECK_FALSE(events->next());
    CHECK_FALSE(watch(server, transport, "/api/v1/events?watch=1&resourceVersion=1001")->next());
  });
}

TEST_CASE("timeoutSeconds ends a watch cleanly; a watch from a future revision waits") {
  on_both_transports([](const std::string& transport) {
    ApiServer server;
    CHECK_FALSE(watch(server, transport, since(1000) + "&timeoutSeconds=1")->next());
    const auto later = watch(server, transport, since(1001));
    server.script("create pods early\ncreate pods late");
    CHECK(later->summary() == "ADDED late");
  });
}

TEST_CASE("an invalid watch is refused before it opens") {
  ApiServer server;
  const std::string pods = "/api/v1/pods?watch=1&";
  CHECK(ask(server, pods + "labelSelector=a+in+b((").status == 400);
  CHECK(ask(server, pods + "resourceVersion=abc").status == 500);
  CHECK(ask(server, pods + "sendInitialEvents=true").status == 422);
  CHECK(ask(server, pods + "resourceVersionMatch=NotOlderThan").status == 422);
  server.script("watchlist off");
  const Answer off = ask(server, pods + "sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
  CHECK(off.status == 422);
  CHECK(off.message().find("unless the WatchList feature gate is enabled") != std::string::npos);
}

TEST_CASE("over TLS, and over IPv6") {
  ksr::testserver::ServerOptions options;
  options.tls = true;
  ApiServer server(options);
  server.script("create pods a");
  const auto events = watch(server, "http", "/api/v1/pods?watch=1");
  CHECK(events->summary() == "ADDED a");
  server.script("drop connections reset");
  CHECK_THROWS(events->next());
  Wire six(server, {}, "::1");
  CHECK(ask(six, "/readyz").status == 200);
  CHECK(ask(six, "/readyz").status == 200);
}

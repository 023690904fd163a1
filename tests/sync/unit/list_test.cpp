// Tests how the reflector lists.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;

TEST_CASE("the first list requests the most recent state, in pages") {
  Rig rig(plain());
  rig.start();
  REQUIRE(rig.requests.size() == 1);
  CHECK_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.limit == 500);
  CHECK(rig.last().list.resource_version.empty());
  CHECK(rig.last().list.resource_version_match.empty());
  CHECK(rig.state() == State::listing);
}

TEST_CASE("pages follow the continue token, and the view changes only after the last") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10", "token-1");
  CHECK(rig.last().list.continue_token == "token-1");
  CHECK(rig.last().list.limit == 500);
  CHECK(rig.held().empty());
  rig.list({pod("b", "2")}, "10", "token-2");
  rig.list({pod("c", "3")}, "10");
  CHECK(rig.held() == "a=1 b=2 c=3");
  CHECK(rig.last().is_watch);
  CHECK(rig.last().watch.resource_version == "10");
  CHECK(rig.reflector.counters().lists == 1);
}

TEST_CASE("a list has the version of its first page, so that the watch sends what later pages missed") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1"), pod("b", "2")}, "10", "token");
  rig.list({pod("c", "12")}, "20");
  CHECK(rig.last().watch.resource_version == "10");
  rig.open();
  rig.event(json::EventType::deleted, pod("b", "11"));
  rig.event(json::EventType::added, pod("c", "12"));
  CHECK(rig.held() == "a=1 c=12");
  CHECK(rig.errors.empty());
}

TEST_CASE("page_size=0 sends no limit") {
  Options options = plain();
  options.page_size = 0;
  Rig rig(options);
  rig.start();
  CHECK(rig.last().list.limit == 0);
}

TEST_CASE("an expired continue token leads to the whole list in one page, at once") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1"), pod("gone", "2")}, "10", "token");
  rig.fail_list(http_error(410), api_status(410, "Expired"));
  REQUIRE(rig.requests.size() == 3);
  CHECK(rig.last().list.limit == 0);
  CHECK(rig.last().list.continue_token.empty());
  rig.list({pod("a", "1"), pod("b", "12")}, "20");
  CHECK(rig.held() == "a=1 b=12");
  CHECK(rig.errors.empty());
}

TEST_CASE("a token that expires in the repeated list as well leads to the backoff") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10", "token");
  rig.fail_list(http_error(410), api_status(410, "Expired"));
  rig.list({pod("a", "1")}, "10", "token");
  rig.fail_list(http_error(410), api_status(410, "Expired"));
  CHECK(rig.state() == State::waiting);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].next_try == 800ms);
}

TEST_CASE("a failed page fails the whole list") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10", "token");
  rig.item(pod("b", "2"));
  rig.fail_list(unreachable_error());
  CHECK(rig.held().empty());
  CHECK(rig.state() == State::waiting);
  rig.advance(800ms);
  CHECK(rig.last().list.continue_token.empty());
  rig.list({pod("c", "3")}, "20");
  CHECK(rig.held() == "c=3");
}

TEST_CASE("a list that fails is retried for ever, with the backoff") {
  Rig rig(plain());
  rig.start();
  std::vector<Milliseconds> waits;
  for (int i = 0; i < 9; ++i) {
    rig.fail_list(http_error(500));
    REQUIRE(rig.errors.back().next_try);
    waits.push_back(*rig.errors.back().next_try);
    rig.advance(waits.back());
  }
  CHECK(waits == std::vector<Milliseconds>{800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30s, 30s, 30s});
  CHECK(rig.requests.size() == 10);
}

TEST_CASE("a list does not reset the backoff, which grows with each watch refused after it") {
  Rig rig(plain());
  rig.start();
  for (int i = 0; i < 4; ++i) {
    if (!rig.last().is_watch) rig.list({pod("a", "1")}, "10");
    rig.fail(http_error(500));
    rig.advance(*rig.errors.back().next_try);
  }
  CHECK(rig.errors.back().next_try == 6400ms);
}

TEST_CASE("a relist requests a state not older than the last seen, in one page") {
  Rig rig(plain());
  rig.go_live();
  rig.event(json::EventType::added, pod("b", "12"));
  rig.error_event(api_status(410, "Expired"));
  REQUIRE_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.resource_version == "12");
  CHECK(rig.last().list.resource_version_match == "NotOlderThan");
  CHECK(rig.last().list.limit == 0);
  CHECK(rig.reflector.counters().relists == 1);
}

TEST_CASE("a relist at a version that the server does not have is repeated at the most recent state, at once") {
  for (const auto& [code, reason] : {std::pair(410, "Expired"), std::pair(504, "Timeout"), std::pair(422, "Invalid")}) {
    Rig rig(plain());
    rig.go_live();
    rig.error_event(api_status(410, "Expired"));
    json::ApiStatus status = api_status(code, reason);
    if (code == 504) status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
    rig.fail_list(http_error(code), status);
    REQUIRE(rig.requests.size() == 4);
    CHECK(rig.last().list.resource_version.empty());
    CHECK(rig.last().list.limit == 500);
    rig.list({pod("b", "30")}, "40");
    CHECK(rig.held() == "b=30");
    CHECK(rig.errors.empty());
  }
}

TEST_CASE("a relist applies the difference, and no object goes back that is newer than the list") {
  Rig rig(plain());
  rig.go_live({pod("a", "5"), pod("b", "6"), pod("c", "7"), pod("page", "25")});
  rig.event(json::EventType::modified, pod("a", "15"));
  rig.error_event(api_status(410, "Expired"));
  rig.list({pod("a", "15"), pod("c", "16"), pod("page", "8")}, "20");
  CHECK(rig.held() == "a=15 c=16 page=25");
}

// etcdutl snapshot restore --bump-revision --mark-compacted.
TEST_CASE("a relist of a server that was restored from a backup, with versions that went on, replaces the view") {
  Rig rig(plain());
  rig.go_live({pod("a", "5"), pod("gone", "6")});
  rig.event(json::EventType::modified, pod("a", "15"));
  rig.event(json::EventType::added, pod("new", "16"));
  rig.event(json::EventType::deleted, pod("gone", "17"));
  rig.error_event(api_status(410, "Expired"));
  rig.list({pod("a", "5"), pod("gone", "6")}, "1000000017");
  CHECK(rig.held() == "a=5 gone=6");
  CHECK(rig.errors.empty());
  rig.open();
  rig.event(json::EventType::modified, pod("a", "1000000018"));
  CHECK(rig.held() == "a=1000000018 gone=6");
}

TEST_CASE("a list proves the view current as of its request") {
  Rig rig(plain());
  rig.start();
  const Instant requested = rig.now;
  rig.advance(5s);
  rig.list({pod("a", "1")}, "10", "token");
  rig.advance(5s);
  rig.list({pod("b", "2")}, "10");
  CHECK(rig.reflector.fresh_at() == requested);
}

TEST_CASE("the view is not current before the first list is complete") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10", "token");
  CHECK_FALSE(rig.reflector.fresh_at());
}

TEST_CASE("inputs of a request that ended are ignored") {
  Rig rig(plain());
  rig.start();
  const RequestId old = rig.last().id;
  rig.fail_list(http_error(500));
  rig.reflector.on_list_item(old, pod("a", "1").item(), rig.now);
  rig.reflector.on_list_end(old, {}, rig.now);
  rig.reflector.on_list_failed(old, http_error(500), std::nullopt, rig.now);
  rig.reflector.on_list_item(0, pod("a", "1").item(), rig.now);
  rig.reflector.on_watch_open(0, rig.now);
  CHECK(rig.errors.size() == 1);
  CHECK(rig.state() == State::waiting);
}

TEST_CASE("start a second time does nothing") {
  Rig rig(plain());
  rig.start();
  rig.start();
  CHECK(rig.requests.size() == 1);
}

TEST_CASE("what came in protobuf and is not known is read as JSON, at once, remembered for the server and resource") {
  auto server_state = std::make_shared<ServerState>();
  Options options = plain();
  options.resource = "v1/pods";
  SUBCASE("in a list") {
    Rig rig(options, server_state);
    rig.start();
    CHECK(rig.last().list.protobuf);
    rig.item(pod("a", "1"));
    rig.fail_list(unknown_protobuf_error());
    CHECK(rig.requests.size() == 2);
    CHECK_FALSE(rig.last().list.protobuf);
    CHECK(rig.held().empty());
    rig.list({pod("a", "1"), pod("b", "2")}, "10");
    CHECK_FALSE(rig.last().watch.protobuf);
    rig.open();
    CHECK(rig.held() == "a=1 b=2");
    CHECK(rig.errors.empty());
  }
  SUBCASE("in a later page") {
    Rig rig(options, server_state);
    rig.start();
    rig.list({pod("a", "1")}, "10", "token");
    CHECK(rig.last().list.protobuf);
    rig.fail_list(unknown_protobuf_error());
    CHECK_FALSE(rig.last().list.protobuf);
    CHECK(rig.last().list.continue_token.empty());
  }
  SUBCASE("in a watch: from the version of the last event") {
    Rig rig(options, server_state);
    rig.go_live();
    CHECK(rig.last().watch.protobuf);
    rig.event(json::EventType::added, pod("b", "12"));
    rig.fail(unknown_protobuf_error());
    REQUIRE(rig.last().is_watch);
    CHECK_FALSE(rig.last().watch.protobuf);
    CHECK(rig.last().watch.resource_version == "12");
    CHECK(rig.errors.empty());
  }
  SUBCASE("in initial events: a list") {
    options.initial = Initial::watchlist;
    Rig rig(options, server_state);
    rig.start();
    CHECK(rig.last().watch.protobuf);
    rig.open();
    rig.event(json::EventType::added, pod("b", "12"));
    rig.fail(unknown_protobuf_error());
    CHECK((rig.last().is_watch ? rig.last().watch.protobuf : rig.last().list.protobuf) == false);
    CHECK(rig.held().empty());
    CHECK(rig.errors.empty());
  }
  CHECK(server_state->json_only("v1/pods#0"));
  Rig other(options, server_state);
  other.start();
  CHECK_FALSE((other.last().is_watch ? other.last().watch.protobuf : other.last().list.protobuf));
}

TEST_CASE("encoding=protobuf: what is not known is an error, and tried again; encoding=json never asks for protobuf") {
  Options options = plain();
  options.encoding = Encoding::protobuf;
  Rig rig(options);
  rig.start();
  rig.fail_list(unknown_protobuf_error());
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::unsupported);
  REQUIRE(rig.errors[0].next_try);
  CHECK(*rig.errors[0].next_try >= 30s);
  rig.advance(*rig.errors[0].next_try);
  CHECK(rig.last().list.protobuf);

  options.encoding = Encoding::json;
  Rig json(options);
  json.go_live();
  CHECK_FALSE(json.requests.front().list.protobuf);
  CHECK_FALSE(json.last().watch.protobuf);
}

TEST_CASE("a server that sends unknown protobuf although JSON was asked for is not asked again at once") {
  Rig rig(plain());
  rig.start();
  rig.fail_list(unknown_protobuf_error());
  CHECK(rig.errors.empty());
  rig.fail_list(unknown_protobuf_error());
  CHECK(rig.errors.size() == 1);
  CHECK(rig.requests.size() == 2);
}

TEST_CASE("a server that refuses to choose from several media types is asked for JSON alone, at once") {
  for (const int code : {406, 415}) {
    CAPTURE(code);
    Rig rig(plain());
    rig.start();
    rig.fail_list(http_error(code));
    REQUIRE(rig.requests.size() == 2);
    CHECK_FALSE(rig.last().list.protobuf);
    CHECK(rig.errors.empty());

    Options options;
    Rig websocket(options);
    websocket.start();
    websocket.list({pod("a", "1")}, "10");
    REQUIRE(websocket.last().watch.protobuf);
    websocket.fail(http_error(code));
    CHECK(websocket.last().watch.websocket);
    CHECK_FALSE(websocket.last().watch.protobuf);
    // It was not that.
    websocket.fail(http_error(code));
    CHECK_FALSE(websocket.last().watch.websocket);
    CHECK(websocket.errors.empty());
  }
}

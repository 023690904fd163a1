// Tests the reflector on servers that contradict themselves: the error says how, the retry is bounded, and the view
// becomes right again.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

Error bad_event_error(Status status) {
  Error error;
  error.status = status;
  error.message = "event 3 has no metadata.uid";
  return error;
}

void check_listed_again(Rig& rig, const char* message) {
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.message.find(message) != std::string::npos);
  CHECK(rig.errors[0].next_try == 800ms);
  CHECK(rig.state() == State::waiting);
  rig.advance(800ms);
  REQUIRE_FALSE(rig.last().is_watch);
  rig.list({pod("a", "30")}, "40");
  rig.open();
  CHECK(rig.held() == "a=30");
  CHECK(rig.state() == State::live);
}

}  // namespace

TEST_CASE("a watch whose events go back") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::added, pod("b", "15"));
  rig.event(EventType::added, pod("c", "12"));
  CHECK(rig.held() == "a=5 b=15");
  check_listed_again(rig, "went back from 15 to 12");
}

TEST_CASE("an event older than the list") {
  Rig rig(plain());
  rig.go_live({pod("a", "9")});
  rig.event(EventType::modified, pod("a", "8"));
  CHECK(rig.held() == "a=9");
  check_listed_again(rig, "went back from 10 to 8");
}

TEST_CASE("a bookmark that goes back") {
  Rig rig(plain());
  rig.go_live();
  rig.bookmark("20");
  rig.bookmark("19");
  CHECK(rig.version == "20");
  check_listed_again(rig, "bookmark");
}

TEST_CASE("a bookmark without resourceVersion") {
  Rig rig(plain());
  rig.go_live();
  rig.bookmark("");
  check_listed_again(rig, "bookmark without resourceVersion");
}

TEST_CASE("an event of another kind") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::added, {"x", "x", "12", "ConfigMap"});
  CHECK(rig.held() == "a=5");
  check_listed_again(rig, "is a v1 ConfigMap, expected v1 Pod");
}

TEST_CASE("an event of another version of the kind") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::added, {"x", "x", "12", "Pod", "v2"});
  check_listed_again(rig, "is a v2 Pod");
}

TEST_CASE("an error is one line, whatever the server sent") {
  Rig rig(plain());
  rig.go_live();
  const std::string control("a\nb\0c", 5);
  rig.event(EventType::added, {"x", control, "12", "Config\x1bMap"});
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.message.find("default/a b?c is a v1 Config?Map") != std::string::npos);
  rig.advance(800ms);
  rig.list({pod("a", "20")}, "20");
  rig.open();
  rig.bookmark("19");
  rig.advance(*rig.errors.back().next_try);
  rig.list({pod("a", "20")}, "1\n2");
  for (const ReportedError& reported : rig.errors) {
    CHECK(reported.error.message.find('\n') == std::string::npos);
  }
}

TEST_CASE("a list of another kind is rejected once, and accepted when it comes again") {
  Rig rig(plain());
  rig.go_live();
  rig.error_event(api_status(410, "Expired"));
  rig.list({{"x", "x", "12", "ConfigMap"}}, "20");
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.message.find("ConfigMap") != std::string::npos);
  CHECK(rig.held() == "a=5");
  rig.advance(800ms);
  rig.list({{"x", "x", "12", "ConfigMap"}}, "20");
  CHECK(rig.held() == "x=12");
}

TEST_CASE("a list of two kinds") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1"), {"x", "x", "2", "ConfigMap"}}, "10");
  CHECK(rig.errors.size() == 1);
  CHECK(rig.held().empty());
}

TEST_CASE("a list that goes back is rejected twice; the third, of the most recent state, is accepted") {
  Rig rig(plain());
  rig.go_live();
  rig.error_event(api_status(410, "Expired"));
  rig.list({pod("a", "5")}, "9");
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.message.find("9 is older than 10") != std::string::npos);
  for (int i = 0; i < 2; ++i) {
    rig.advance(*rig.errors.back().next_try);
    REQUIRE_FALSE(rig.last().is_watch);
    CHECK(rig.last().list.resource_version.empty());
    rig.list({pod("a", "5")}, "9");
  }
  CHECK(rig.errors.size() == 3);
  rig.advance(*rig.errors.back().next_try);
  rig.list({pod("a", "3"), pod("b", "8")}, "9");
  CHECK(rig.last().is_watch);
  CHECK(rig.last().watch.resource_version == "9");
  CHECK(rig.held() == "a=3 b=8");
  rig.open();
  rig.event(json::EventType::modified, pod("a", "10"));
  CHECK(rig.held() == "a=10 b=8");
}

TEST_CASE("a list that goes back and is accepted replaces what is newer than it, and restores what was deleted since") {
  Rig rig(plain());
  rig.go_live({pod("a", "5"), pod("b", "6")});
  rig.event(json::EventType::modified, pod("a", "12"));
  rig.event(json::EventType::added, pod("new", "13"));
  rig.event(json::EventType::deleted, pod("b", "14"));
  rig.error_event(api_status(410, "Expired"));
  for (int i = 0; i < 3; ++i) {
    rig.list({pod("a", "5"), pod("b", "6")}, "11");
    rig.advance(*rig.errors.back().next_try);
  }
  rig.list({pod("a", "5"), pod("b", "6")}, "11");
  CHECK(rig.held() == "a=5 b=6");
}

TEST_CASE("a list that does not go back is merged as any other, also after two that did") {
  Rig rig(plain());
  rig.go_live({pod("a", "25")});
  rig.error_event(api_status(410, "Expired"));
  for (int i = 0; i < 3; ++i) {
    rig.list({pod("a", "5")}, "9");
    rig.advance(*rig.errors.back().next_try);
  }
  rig.list({pod("a", "5")}, "12");
  CHECK(rig.held() == "a=25");
}

TEST_CASE("a list that goes back is rejected twice again once one was accepted") {
  Rig rig(plain());
  rig.go_live();
  for (const std::string version : {"9", "8"}) {
    rig.error_event(api_status(410, "Expired"));
    if (rig.last().is_watch) rig.advance(*rig.errors.back().next_try);
    for (int i = 0; i < 3; ++i) {
      rig.list({pod("a", "5")}, version);
      rig.advance(*rig.errors.back().next_try);
      CHECK_FALSE(rig.last().is_watch);
    }
    rig.list({pod("a", "5")}, version);
    CHECK(rig.version == version);
    rig.open();
  }
}

TEST_CASE("only lists in a row that go back are counted") {
  Rig rig(plain());
  rig.go_live();
  for (int i = 0; i < 4; ++i) {
    rig.error_event(api_status(500, "InternalError"));
    rig.advance(*rig.errors.back().next_try);
    rig.list({pod("a", "5")}, "9");
    rig.advance(*rig.errors.back().next_try);
    rig.list({pod("a", "5")}, "10");
    rig.open();
    CHECK(rig.version == "10");
  }
}

TEST_CASE("an endless list of empty pages") {
  Rig rig(plain());
  rig.start();
  int pages = 0;
  while (rig.errors.empty() && pages < 1000) rig.end_list("10", "token-" + std::to_string(pages++));
  CHECK(pages == 17);
  CHECK(rig.errors.at(0).error.message.find("empty") != std::string::npos);
  CHECK(rig.state() == State::waiting);
}

TEST_CASE("up to 16 empty pages in a row are accepted") {
  Rig rig(plain());
  rig.start();
  for (int i = 0; i < 16; ++i) rig.end_list("10", "token-" + std::to_string(i));
  rig.list({pod("a", "1")}, "10", "more");
  for (int i = 0; i < 16; ++i) rig.end_list("10", "another-" + std::to_string(i));
  rig.list({pod("b", "2")}, "10");
  CHECK(rig.held() == "a=1 b=2");
}

TEST_CASE("a list that repeats itself") {
  SUBCASE("the same token") {
    Rig rig(plain());
    rig.start();
    rig.list({pod("a", "1")}, "10", "token");
    rig.list({pod("b", "2")}, "10", "token");
    CHECK(rig.errors.at(0).error.message.find("its own continue token") != std::string::npos);
  }
  SUBCASE("other tokens, the same objects") {
    Rig rig(plain());
    rig.start();
    rig.list({pod("a", "1")}, "10", "token-1");
    rig.list({pod("b", "2")}, "10", "token-2");
    rig.list({pod("a", "1")}, "10", "token-3");
    CHECK(rig.errors.at(0).error.message.find("same object") != std::string::npos);
  }
}

TEST_CASE("a page of another type does not end a list, with objects or without") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10", "token");
  json::ListMeta meta;
  meta.kind = "ConfigMapList";
  meta.api_version = "v1";
  meta.resource_version = "10";
  rig.reflector.on_list_end(rig.last().id, meta, rig.now);
  CHECK(rig.held().empty());
  CHECK(rig.errors.at(0).error.status == Status::protocol);
  CHECK(rig.errors.at(0).error.message.find("a page is a ConfigMapList, expected a PodList") != std::string::npos);
}

TEST_CASE("invalid JSON in a watch") {
  Rig rig(plain());
  rig.go_live();
  rig.fail(protocol_error());
  check_listed_again(rig, "invalid JSON");
}

TEST_CASE("an event without a uid") {
  Rig rig(plain());
  rig.go_live();
  rig.bad_event(bad_event_error(Status::protocol));
  check_listed_again(rig, "metadata.uid");
}

TEST_CASE("an event that is too large is reported, and the watch continues") {
  Rig rig(plain());
  rig.go_live();
  rig.bad_event(bad_event_error(Status::too_large));
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].next_try == 0ms);
  CHECK(rig.state() == State::live);
  rig.event(EventType::added, pod("b", "12"));
  CHECK(rig.held() == "a=5 b=12");
}

TEST_CASE("an item that is skipped is reported, and the list goes on") {
  Rig rig(plain());
  rig.start();
  const RequestId list = rig.last().id;
  rig.item(pod("a", "5"));
  rig.reflector.on_list_bad_item(list, bad_event_error(Status::too_large));
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].next_try == 0ms);
  CHECK(rig.reflector.counters().errors == 1);
  rig.item(pod("b", "6"));
  rig.end_list("10");
  CHECK(rig.held() == "a=5 b=6");
  // Of a list that has ended.
  rig.reflector.on_list_bad_item(list, bad_event_error(Status::too_large));
  CHECK(rig.errors.size() == 1);
}

TEST_CASE("what is too large may be a deletion: the view would have an object that is gone, so it is listed again") {
  Rig rig(plain());
  rig.go_live();
  rig.bad_event(bad_event_error(Status::too_large), true);
  check_listed_again(rig, "");
  CHECK(rig.errors[0].error.status == Status::too_large);
}

TEST_CASE("an endless redirect is an error with a backoff") {
  Rig rig(plain());
  rig.start();
  for (int i = 0; i < 3; ++i) {
    Error error = http_error(302);
    error.status = Status::protocol;
    rig.fail_list(error);
    rig.advance(*rig.errors.back().next_try);
  }
  CHECK(rig.errors.back().next_try == 3200ms);
  CHECK(rig.requests.size() == 4);
}

TEST_CASE("events before the response are ignored") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "5")}, "10");
  rig.event(EventType::added, pod("b", "12"));
  rig.bookmark("13");
  CHECK(rig.held() == "a=5");
  CHECK(rig.version == "10");
}

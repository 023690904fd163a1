// Tests what the reflector does after a failure and after a sleep of the machine.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "simulation/seeded_random.hpp"
#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

TEST_CASE("Retry-After counts when it is longer than the backoff") {
  Rig rig(plain());
  rig.start();
  rig.fail_list(http_error(429, 5s));
  CHECK(rig.errors.at(0).next_try == 5s);
  CHECK(rig.errors.at(0).error.status == Status::throttled);
  rig.advance(4999ms);
  CHECK(rig.requests.size() == 1);
  rig.advance(1ms);
  CHECK(rig.requests.size() == 2);
  rig.fail_list(http_error(503, 1s));
  CHECK(rig.errors.at(1).next_try == 1600ms);
}

TEST_CASE("401: the log says that new credentials are obtained where they are") {
  for (const bool obtained : {true, false}) {
    CAPTURE(obtained);
    Rig rig(plain());
    rig.credentials_obtained = obtained;
    rig.start();
    rig.fail_list(http_error(401));
    CHECK(rig.requests.size() == 2);
    const auto said = [&](const char* text) {
      return std::any_of(rig.logger.lines.begin(), rig.logger.lines.end(),
                         [&](const std::string& line) { return line.find(text) != std::string::npos; });
    };
    CHECK(said("new credentials are obtained") == obtained);
    CHECK(said("trying once more") == !obtained);
  }
}

TEST_CASE("401: once with new credentials at once, then after the backoff") {
  Rig rig(plain());
  rig.start();
  rig.fail_list(http_error(401));
  CHECK(rig.credentials_refreshed == 1);
  CHECK(rig.requests.size() == 2);
  CHECK(rig.errors.empty());
  rig.fail_list(http_error(401));
  CHECK(rig.credentials_refreshed == 2);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::auth);
  CHECK(rig.errors[0].next_try == 800ms);
  rig.advance(800ms);
  rig.list({}, "10");
  rig.fail(http_error(401));
  CHECK(rig.credentials_refreshed == 3);
  CHECK(rig.errors.size() == 2);
  // A while after the last time, and after a success.
  rig.advance(31s);
  rig.open();
  rig.fail(http_error(401));
  CHECK(rig.credentials_refreshed == 4);
  CHECK(rig.last().is_watch);
  CHECK(rig.errors.size() == 2);
}

TEST_CASE("401: tokens that live for seconds are followed up at once, whatever the backoff is") {
  Options options = plain();
  options.reconnect = false;
  options.backoff_max = 10min;
  Rig rig(options);
  rig.go_live();
  for (int i = 1; i <= 20; ++i) {
    rig.advance(3s);
    rig.event(EventType::modified, pod("a", std::to_string(20 + i)));
    rig.error_event(api_status(401, "Unauthorized"));
    CHECK(rig.credentials_refreshed == i);
    CHECK(rig.errors.empty());
    REQUIRE(rig.last().is_watch);
    rig.open();
  }
  // What replaced a refused one just now, and is refused, too, is a failure.
  rig.error_event(api_status(401, "Unauthorized"));
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("a server that accepts each watch and then refuses its credentials is not asked without end") {
  for (const int code : {401, 403, 404, 410}) {
    for (const bool changes : {false, true}) {
      CAPTURE(code);
      CAPTURE(changes);
      Options options = plain();
      options.candidates = 2;
      Rig rig(options);
      rig.go_live();
      const std::size_t before = rig.requests.size();
      for (int i = 0; i < 100 && rig.state() != State::waiting; ++i) {
        if (!rig.last().is_watch) {
          rig.list({}, std::to_string(100 + 10 * i));
        } else {
          rig.open();
          if (changes) rig.event(EventType::modified, pod("a", std::to_string(105 + 10 * i)));
          rig.error_event(api_status(code, "Refused"));
        }
      }
      CHECK(rig.state() == State::waiting);
      CHECK(rig.requests.size() < before + 6);
      if (code == 404) CHECK(rig.errors.at(0).next_try == 30s);
    }
  }
}

namespace {

// Answers each request in one of a few ways, drawn from all that there are.
class HostileServer {
 public:
  HostileServer(Rig& rig, std::uint64_t seed) : rig_(rig), random_(seed) {
    for (std::size_t& way : ways_) way = random_.below(kWays);
    for (int& code : codes_) code = kCodes[random_.below(kCodes.size())];
  }

  void answer() {
    const int code = codes_[random_.below(codes_.size())];
    const auto status = random_.chance(0.7) ? std::optional(api_status(code, "Refused")) : std::nullopt;
    const std::size_t way = ways_[random_.below(ways_.size())];
    rig_.last().is_watch ? answer_watch(way, code, status) : answer_list(way, code, status);
  }

 private:
  static constexpr std::size_t kWays = 10;
  static constexpr std::array kCodes{200, 400, 401, 404, 406, 408, 410, 415, 422, 426, 429, 500, 501, 503, 504};

  std::string next_version() { return std::to_string(++version_); }

  void answer_list(std::size_t way, int code, const std::optional<json::ApiStatus>& status) {
    switch (way) {
      case 0:
        return rig_.list({pod("a", "5")}, next_version(), "continues");
      case 1:
        return rig_.fail_list(unknown_protobuf_error());
      case 2:
        return rig_.fail_list(http_error(504), api_status(504, "Timeout", "Too large resource version"));
      case 3:
      case 4:
        return rig_.fail_list(http_error(code), status);
      default:
        return rig_.list({pod("a", "5")}, next_version());
    }
  }

  void answer_watch(std::size_t way, int code, const std::optional<json::ApiStatus>& status) {
    if (way == 0) return rig_.fail(http_error(code), status);
    if (way == 1) return rig_.fail(http_error(504), api_status(504, "Timeout", "Too large resource version"));
    rig_.open();
    if (random_.chance(0.7)) rig_.event(EventType::modified, pod("a", next_version()));
    if (random_.chance(0.7)) rig_.bookmark(next_version(), rig_.last().watch.send_initial_events);
    switch (way) {
      case 2:
        return rig_.fail(unknown_protobuf_error());
      case 3:
        return rig_.fail(unreachable_error());
      case 4:
        return rig_.fail(protocol_error());
      case 5:
      case 6:
        return rig_.end();
      default:
        return rig_.error_event(api_status(code, "Refused"));
    }
  }

  Rig& rig_;
  SeededRandom random_;
  std::array<std::size_t, 3> ways_{};
  std::array<int, 3> codes_{};
  int version_ = 100;
};

}  // namespace

TEST_CASE("whatever a server answers, and sends before: only so many requests without a delay") {
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    CAPTURE(seed);
    SeededRandom random(seed);
    Options options;
    constexpr std::array kTransports{WatchTransport::automatic, WatchTransport::http, WatchTransport::websocket};
    options.transport = kTransports[seed % kTransports.size()];
    options.initial = random.chance(0.5) ? Initial::list : Initial::watchlist;
    options.encoding = random.chance(0.3) ? Encoding::json : Encoding::automatic;
    options.candidates = 1 + random.below(3);
    Rig rig(options);
    HostileServer server(rig, seed);
    rig.start();
    std::size_t waited_at = 0;
    for (int i = 0; i < 300 && !(rig.errors.size() > 0 && !rig.errors.back().next_try); ++i) {
      if (rig.state() == State::waiting) {
        rig.advance(*rig.timer_in());
        waited_at = rig.requests.size();
      } else {
        rig.now += 1ms;
        server.answer();
      }
      // Each of them a list, another page, its watch.
      REQUIRE(rig.requests.size() - waited_at < 30);
    }
  }
}

TEST_CASE("two names that can be listed but not watched: the first again slowly") {
  Options options = plain();
  options.candidates = 2;
  Rig rig(options);
  rig.start();
  for (const std::size_t candidate : {std::size_t{0}, std::size_t{1}}) {
    CHECK(rig.last().list.candidate == candidate);
    // A large one.
    rig.advance(40s);
    rig.list({}, "10");
    REQUIRE(rig.last().is_watch);
    rig.fail(http_error(404));
  }
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].next_try == 30s);
}

TEST_CASE("two streams that fall back to JSON at the same time both do") {
  for (const int code : {406, 415}) {
    auto server_state = std::make_shared<ServerState>();
    Rig first(plain(), server_state);
    Rig second(plain(), server_state);
    first.start();
    second.start();
    for (Rig* const rig : {&first, &second}) {
      REQUIRE(rig->last().list.protobuf);
      rig->fail_list(http_error(code));
      CHECK(rig->errors.empty());
      CHECK_FALSE(rig->last().list.protobuf);
      rig->fail_list(http_error(code));
      REQUIRE(rig->errors.size() == 1);
      CHECK_FALSE(rig->errors[0].next_try);
    }
  }
}

TEST_CASE("protobuf that is not known, though JSON was asked for, is asked for again slowly") {
  Rig rig(plain());
  rig.start();
  const Error unknown = detected_error(Status::unsupported, "objects of kind X are not known");
  rig.fail_list(unknown);
  CHECK(rig.errors.empty());
  CHECK_FALSE(rig.last().list.protobuf);
  rig.fail_list(unknown);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].next_try == 30s);
}

TEST_CASE("a continue token that the server cannot read: the list again in one page") {
  Rig rig(plain());
  rig.start();
  rig.list({pod("a", "1")}, "10", "token");
  rig.fail_list(http_error(400), api_status(400, "BadRequest"));
  CHECK(rig.errors.empty());
  CHECK(rig.last().list.continue_token.empty());
  CHECK(rig.last().list.limit == 0);
  rig.fail_list(http_error(400), api_status(400, "BadRequest"));
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("403 is reported and retried slowly") {
  Rig rig(plain());
  rig.start();
  rig.random.value = 0.5;
  rig.fail_list(http_error(403));
  CHECK(rig.errors.at(0).next_try == 45s);
  rig.advance(45s);
  CHECK(rig.requests.size() == 2);
}

TEST_CASE("404: the next name at once, after the last one the first again slowly") {
  Options options = plain();
  options.candidates = 3;
  Rig rig(options);
  rig.start();
  CHECK(rig.last().list.candidate == 0);
  rig.fail_list(http_error(404));
  CHECK(rig.last().list.candidate == 1);
  rig.fail_list(http_error(404));
  CHECK(rig.last().list.candidate == 2);
  CHECK(rig.errors.empty());
  rig.fail_list(http_error(404));
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::not_found);
  CHECK(rig.errors[0].next_try == 30s);
  rig.advance(30s);
  CHECK(rig.last().list.candidate == 0);
}

TEST_CASE("a name that disappears while it is watched leads to the next") {
  Options options = plain();
  options.candidates = 2;
  Rig rig(options);
  rig.go_live();
  rig.end();
  rig.fail(http_error(404));
  CHECK_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.candidate == 1);
  CHECK(rig.last().list.resource_version.empty());
  rig.list({{"a", "a", "5", "Gateway", "gateway.networking.k8s.io/v1"}}, "20");
  CHECK(rig.last().is_watch);
  CHECK(rig.last().watch.candidate == 1);
}

TEST_CASE("404 of all names: they are looked up again, which is told only where it does not help") {
  for (const bool watched : {false, true}) {
    CAPTURE(watched);
    Rig rig(plain());
    rig.resolves_again = true;
    if (watched) {
      rig.go_live();
      rig.end();
      rig.fail(http_error(404));
    } else {
      rig.start();
      rig.fail_list(http_error(404));
    }
    CHECK(rig.resolutions == 1);
    CHECK(rig.state() == State::connecting);
    CHECK(rig.errors.empty());
    CHECK_FALSE(rig.timer);
    const std::size_t before = rig.requests.size();
    rig.reflector.on_resolved(2, rig.now);
    REQUIRE(rig.requests.size() == before + 1);
    CHECK(rig.last().list.candidate == 0);
    CHECK(rig.last().list.resource_version.empty());
    rig.fail_list(http_error(404));
    CHECK(rig.last().list.candidate == 1);
    rig.resolves_again = false;
    rig.fail_list(http_error(404));
    CHECK(rig.resolutions == 2);
    REQUIRE(rig.errors.size() == 1);
    CHECK(rig.errors[0].next_try == 30s);
  }
}

TEST_CASE("404 of all names, which stand for the same: the list again, slowly") {
  Rig rig(plain());
  rig.resolves_again = true;
  rig.start();
  rig.fail_list(http_error(404));
  rig.reflector.on_resolved(std::nullopt, rig.now);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.http_status == 404);
  CHECK(rig.errors[0].next_try == 30s);
  CHECK(rig.state() == State::waiting);
  rig.advance(30s);
  CHECK(rig.requests.size() == 2);
  rig.fail_list(http_error(404));
  CHECK(rig.resolutions == 2);
  // The machine slept meanwhile: it asks by itself.
  rig.reflector.on_clock_jump(rig.now);
  rig.advance(2s);
  CHECK(rig.requests.size() == 3);
  rig.reflector.on_resolved(std::nullopt, rig.now);
  CHECK(rig.errors.size() == 1);
  CHECK(rig.requests.size() == 3);
}

TEST_CASE("without reconnect a 404 of all names ends the stream, unless they stand for others") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.resolves_again = true;
  rig.start();
  rig.fail_list(http_error(404));
  CHECK(rig.errors.empty());
  rig.reflector.on_resolved(1, rig.now);
  rig.fail_list(http_error(404));
  rig.reflector.on_resolved(std::nullopt, rig.now);
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("a live stream whose names stand for others lists by them") {
  Rig rig(plain());
  rig.go_live();
  rig.reflector.on_resolved(std::nullopt, rig.now);
  CHECK(rig.state() == State::live);
  rig.reflector.on_resolved(1, rig.now);
  CHECK(rig.requests.at(1).stopped);
  CHECK_FALSE(rig.last().is_watch);
  CHECK(rig.last().list.resource_version.empty());
}

// The same objects have the same uid and resourceVersion in each version that they are served in.
TEST_CASE("the list by another name replaces the view, also where no object has changed") {
  Options options = plain();
  options.candidates = 2;
  const TestObject before{"a", "a", "5", "Widget", "x.example.com/v1", "default", R"({"apiVersion":"v1"})"};
  TestObject after = before;
  after.api_version = "x.example.com/v1beta1";
  after.text = R"({"apiVersion":"v1beta1"})";
  for (const Initial initial : {Initial::list, Initial::watchlist}) {
    options.initial = initial;
    Rig rig(options);
    rig.start();
    if (initial == Initial::watchlist) {
      rig.open();
      rig.event(json::EventType::added, before);
      rig.bookmark("10", true);
    } else {
      rig.list({before}, "10");
      rig.open();
    }
    rig.end();
    rig.fail(http_error(404));
    if (initial == Initial::watchlist) {
      rig.open();
      rig.event(json::EventType::added, after);
      rig.bookmark("10", true);
    } else {
      rig.list({after}, "10");
    }
    CHECK(rig.held() == "a=5");
    CHECK(rig.cache.view().at(0)->field(store::Field::json) == after.text);
  }
}

TEST_CASE("a request that can never succeed ends the stream") {
  for (const int code : {400, 405, 406, 415, 422}) {
    for (const Encoding encoding : {Encoding::json, Encoding::protobuf}) {
      Options options = plain();
      options.encoding = encoding;
      Rig rig(options);
      rig.start();
      rig.fail_list(http_error(code));
      REQUIRE(rig.errors.size() == 1);
      CHECK_FALSE(rig.errors[0].next_try);
      CHECK_FALSE(rig.timer);
      rig.advance(1h);
      CHECK(rig.requests.size() == 1);
    }
  }
}

TEST_CASE("reconnect=false: the first failure that needs a wait ends the stream") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.go_live();
  rig.error_event(api_status(410, "Expired"));
  REQUIRE_FALSE(rig.last().is_watch);
  rig.list({pod("a", "5")}, "20");
  rig.open();
  rig.advance(5s);
  CHECK(rig.errors.empty());
  rig.fail(unreachable_error());
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
  rig.advance(1h);
  CHECK(rig.requests.size() == 4);
}

TEST_CASE("reconnect=false: a 410 behind the end of a watch ends no stream, without progress in between it does") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.go_live();
  for (int i = 0; i < 3; ++i) {
    rig.event(EventType::modified, pod("a", std::to_string(20 + 10 * i)));
    rig.end();
    rig.advance(2s);
    REQUIRE(rig.last().is_watch);
    rig.fail(http_error(410), api_status(410, "Expired"));
    rig.advance(2s);
    REQUIRE_FALSE(rig.last().is_watch);
    rig.list({pod("a", std::to_string(20 + 10 * i))}, std::to_string(25 + 10 * i));
    rig.open();
    CHECK(rig.state() == State::live);
  }
  CHECK(rig.errors.empty());
  rig.error_event(api_status(410, "Expired"));
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
}

TEST_CASE("reconnect=false: a 403 ends the stream, a watch that ends in order does not") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.go_live();
  for (int i = 0; i < 3; ++i) {
    rig.event(EventType::modified, pod("a", std::to_string(20 + i)));
    rig.end();
    rig.advance(2s);
    rig.open();
  }
  CHECK(rig.errors.empty());
  rig.end();
  rig.advance(2s);
  rig.fail(http_error(403));
  CHECK_FALSE(rig.errors.at(0).next_try);
}

TEST_CASE("after a sleep a waiting reflector tries at once, and its backoff starts over") {
  Rig rig(plain());
  rig.start();
  for (int i = 0; i < 7; ++i) {
    rig.fail_list(unreachable_error());
    if (i < 6) rig.advance(*rig.errors.back().next_try);
  }
  CHECK(rig.errors.back().next_try == 30s);
  const std::size_t before = rig.requests.size();
  rig.reflector.on_clock_jump(rig.now);
  CHECK(rig.requests.size() == before + 1);
  rig.fail_list(unreachable_error());
  CHECK(rig.errors.back().next_try == 800ms);
}

TEST_CASE("after a sleep one stream of a server probes, the others retry when it was answered") {
  auto server_state = std::make_shared<ServerState>();
  Rig first(plain(), server_state);
  Rig second(plain(), server_state);
  for (Rig* rig : {&first, &second}) {
    rig->now = std::max(first.now, second.now);
    rig->start();
    for (int i = 0; i < 7; ++i) {
      rig->fail_list(unreachable_error());
      if (i < 6) rig->advance(*rig->errors.back().next_try);
    }
  }
  second.random.value = 0.5;
  const Instant now = std::max(first.now, second.now);
  first.now = second.now = now;
  first.reflector.on_clock_jump(now);
  second.reflector.on_clock_jump(now);
  CHECK(first.requests.size() == 8);
  CHECK(second.requests.size() == 7);
  first.list({}, "10");
  REQUIRE(second.timer_in());
  CHECK(*second.timer_in() <= 100ms);
  second.advance(100ms);
  CHECK(second.requests.size() == 8);
}

TEST_CASE("after a sleep an open watch is revalidated by an event or by its successor") {
  Rig rig(plain());
  rig.go_live();
  const RequestId old = rig.last().id;
  rig.advance(1s);
  rig.reflector.on_clock_jump(rig.now);
  CHECK(rig.state() == State::connecting);
  REQUIRE(rig.requests.size() == 3);
  SUBCASE("an event") {
    rig.event(old, EventType::added, pod("b", "12"));
    CHECK(rig.state() == State::live);
  }
  SUBCASE("its successor opens") {
    rig.open();
    CHECK(rig.state() == State::live);
    CHECK(rig.requests[1].stopped);
  }
  SUBCASE("its successor fails, and so does it") {
    rig.fail(unreachable_error());
    CHECK(rig.state() == State::waiting);
    CHECK(rig.requests[1].stopped);
    CHECK(rig.errors.size() == 1);
  }
}

TEST_CASE("after a sleep the successor that has replaced the watch is not replaced itself") {
  Rig rig(plain());
  rig.go_live();
  rig.advance(1s);
  rig.reflector.on_clock_jump(rig.now);
  rig.open();
  rig.advance(1min);
  CHECK(rig.requests.size() == 3);
}

TEST_CASE("after a sleep a running list is requested again") {
  Rig rig(plain());
  rig.start();
  rig.item(pod("old", "1"));
  rig.reflector.on_clock_jump(rig.now);
  CHECK(rig.requests[0].stopped);
  REQUIRE(rig.requests.size() == 2);
  rig.list({pod("new", "2")}, "10");
  CHECK(rig.held() == "new=2");
}

TEST_CASE("a server that answers again brings the retries of waiting streams forward, once") {
  auto server_state = std::make_shared<ServerState>();
  Rig down(plain(), server_state);
  Rig up(plain(), server_state);
  down.start();
  for (int i = 0; i < 7; ++i) {
    down.fail_list(unreachable_error());
    if (i < 6) down.advance(*down.errors.back().next_try);
  }
  up.now = down.now;
  up.start();
  up.list({}, "10");
  CHECK(*down.timer_in() <= 100ms);
  down.advance(100ms);
  CHECK(down.requests.size() == 8);
  down.fail_list(unreachable_error());
  CHECK(down.errors.back().next_try == 30s);
  up.open();
  CHECK(*down.timer_in() > 29s);
}

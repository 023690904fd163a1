// Tests what the reflector does after an exception: the same as after any other failure.
#include <doctest/doctest.h>

#include "support/rig.hpp"

using namespace ksr;
using namespace ksr::sync;
using namespace ksr::sync::testing;
using json::EventType;

namespace {

const Error no_memory{Status::out_of_memory, "out of memory"};
const Error unexpected{Status::internal, "unexpected exception: x"};

}  // namespace

TEST_CASE("a list is reported as failed, and requested again after the backoff") {
  Rig rig(plain());
  rig.start();
  rig.reflector.on_exception(no_memory, rig.now);
  CHECK(rig.last().stopped);
  REQUIRE(rig.errors.size() == 1);
  CHECK(rig.errors[0].error.status == Status::out_of_memory);
  CHECK(rig.errors[0].next_try == 800ms);
  rig.advance(799ms);
  CHECK(rig.requests.size() == 1);
  rig.advance(1ms);
  CHECK(rig.requests.size() == 2);
  rig.list({pod("a", "5")}, "10");
  rig.open();
  CHECK(rig.state() == State::live);
}

TEST_CASE("after out_of_memory a watch continues from its last version, and the view stays") {
  Rig rig(plain());
  rig.go_live();
  rig.event(EventType::modified, pod("a", "12"));
  rig.reflector.on_exception(no_memory, rig.now);
  CHECK(rig.last().stopped);
  CHECK(rig.held() == "a=12");
  rig.advance(800ms);
  CHECK(rig.last().is_watch);
  CHECK(rig.last().watch.resource_version == "12");
}

TEST_CASE("after any other exception the view may have missed a change, so a list follows") {
  Rig rig(plain());
  rig.go_live();
  rig.reflector.on_exception(unexpected, rig.now);
  CHECK(rig.errors.back().error.status == Status::internal);
  rig.advance(800ms);
  CHECK_FALSE(rig.last().is_watch);
}

TEST_CASE("the backoff grows with each exception") {
  Rig rig(plain());
  rig.start();
  const Milliseconds delays[] = {800ms, 1600ms, 3200ms, 6400ms, 12'800ms, 25'600ms, 30'000ms, 30'000ms};
  for (const Milliseconds delay : delays) {
    rig.reflector.on_exception(no_memory, rig.now);
    CHECK(rig.errors.back().next_try == delay);
    rig.advance(delay);
  }
  CHECK(rig.requests.size() == 9);
}

TEST_CASE("a reflector that was not started begins after the backoff; a cancelled one stays cancelled") {
  Rig rig(plain());
  rig.reflector.on_exception(no_memory, rig.now);
  rig.advance(800ms);
  CHECK(rig.requests.size() == 1);
  rig.reflector.cancel();
  rig.reflector.on_exception(no_memory, rig.now);
  CHECK(rig.errors.size() == 1);
  CHECK_FALSE(rig.timer);
}

TEST_CASE("reconnect=false: an exception ends the stream") {
  Options options = plain();
  options.reconnect = false;
  Rig rig(options);
  rig.go_live();
  rig.reflector.on_exception(no_memory, rig.now);
  REQUIRE(rig.errors.size() == 1);
  CHECK_FALSE(rig.errors[0].next_try);
  CHECK(rig.last().stopped);
  const std::size_t sent = rig.requests.size();
  rig.advance(1h);
  CHECK(rig.requests.size() == sent);
}

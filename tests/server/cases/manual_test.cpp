// delivery=manual: no callback runs on a thread of the library.
#include <poll.h>

#include <thread>

#include "server/cases/on_server.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

// Dispatches as an event loop does until the condition holds; false after kWaitLimit.
bool loop_until(Recorder& seen, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + ksr::testing::kWaitLimit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    pollfd entry{ksr_fd(seen.stream()), POLLIN, 0};
    poll(&entry, 1, 100);
    if (ksr_dispatch(seen.stream()) < 0) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("callbacks run inside ksr_dispatch, on the thread that calls it") {
  on_both_transports([](const std::string& transport) {
    ApiServer server(with_token());
    server.script("populate pods 5");
    Recorder seen;
    const std::thread::id me = std::this_thread::get_id();
    bool elsewhere = false;
    seen.during_update = [&](ksr_stream*, const ksr_snapshot*) {
      elsewhere = elsewhere || std::this_thread::get_id() != me;
    };
    seen.during_state = [&](ksr_stream*, ksr_state) { elsewhere = elsewhere || std::this_thread::get_id() != me; };
    REQUIRE(seen.open(with(on_server(server, transport), "delivery", "manual")) == KSR_OK);
    REQUIRE(ksr_wait_synced(seen.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
    CHECK(seen.updates() == 0);
    const ksr_snapshot* latest = ksr_latest(seen.stream());
    CHECK(ksr_snapshot_count(latest) == 5);
    ksr_snapshot_release(latest);
    CHECK(loop_until(seen, [&] { return seen.count() == 5; }));
    server.script("wait watches pods 1\ncreate pods new");
    CHECK(loop_until(seen, [&] { return seen.count() == 6; }));
    CHECK_FALSE(elsewhere);
    CHECK(seen.close() == KSR_OK);
    CHECK(seen.states().back() == KSR_STATE_CLOSED);
    CHECK(seen.destroyed() == 1);
    CHECK(seen.violations().empty());
  });
}

TEST_CASE("a host that never dispatches can read the newest view, and can close") {
  ApiServer server(with_token());
  server.script("populate pods 5");
  Recorder seen;
  REQUIRE(seen.open(with(on_server(server, "auto"), "delivery", "manual")) == KSR_OK);
  REQUIRE(ksr_wait_synced(seen.stream(), ksr::testing::kWaitLimitMs) == KSR_OK);
  server.script("wait watches pods 1\ncreate pods new");
  for (int i = 0; i < 3'000; ++i) {
    const ksr_snapshot* latest = ksr_latest(seen.stream());
    const bool there = ksr_snapshot_find(latest, "default", "new") != nullptr;
    ksr_snapshot_release(latest);
    if (there) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const ksr_snapshot* latest = ksr_latest(seen.stream());
  CHECK(contents_of(latest) == server.contents("pods"));
  ksr_snapshot_release(latest);
  CHECK(seen.updates() == 0);
  CHECK(seen.close() == KSR_OK);
  CHECK(seen.destroyed() == 1);
}

#include "stream/runtime.hpp"

#include <doctest/doctest.h>

#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

TEST_CASE("an engine lives from add to remove") {
  StreamFixture fixture;
  Runtime runtime(fixture.world.executor, fixture.world.transport);
  std::list<std::shared_ptr<Engine>> list_node{fixture.engine()};
  Engine* const engine = list_node.front().get();
  const std::weak_ptr<Engine> watched = list_node.front();
  fixture.run([&] { runtime.add(list_node); });
  CHECK(list_node.empty());
  REQUIRE_FALSE(watched.expired());
  CHECK(watched.lock().get() == engine);
  fixture.world.executor.advance(std::chrono::minutes(1));
  CHECK_FALSE(watched.expired());
  fixture.run([&] { runtime.remove(watched.lock()); });
  CHECK(watched.expired());
  fixture.world.executor.advance(std::chrono::minutes(1));
}

TEST_CASE("what is known of a server is shared while it is used, and dropped afterwards") {
  StreamFixture fixture;
  ServerStates states;
  auto first = states.of(*fixture.access);
  CHECK(states.of(*fixture.access) == first);
  states.remove_unused();
  CHECK(states.of(*fixture.access) == first);
  const std::weak_ptr<sync::ServerState> watched = first;
  first.reset();
  states.remove_unused();
  CHECK(watched.expired());
  CHECK(states.of(*fixture.access) != nullptr);
}

TEST_CASE("a suspend of the machine shows as a growing offset") {
  SuspendWatch watch;
  CHECK_FALSE(watch.suspended(Milliseconds(1'000)));
  CHECK_FALSE(watch.suspended(Milliseconds(1'500)));
  CHECK(watch.suspended(Milliseconds(61'500)));
  CHECK_FALSE(watch.suspended(Milliseconds(61'500)));
  watch.reset();
  CHECK_FALSE(watch.suspended(Milliseconds(900'000)));
}

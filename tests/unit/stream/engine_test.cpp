#include "stream/engine.hpp"

#include <doctest/doctest.h>

#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

TEST_CASE("a stream is synced once the lists of all its namespaces are complete") {
  StreamFixture fixture;
  fixture.config.query.namespaces = {"a", "b"};
  fixture.world.transport.replies["/api/v1/namespaces/a/pods"] = StreamFixture::pod_list("one");
  fixture.world.transport.replies["/api/v1/namespaces/b/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK_FALSE(fixture.synced());
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(fixture.statistics->lists == 2);

  fixture.world.transport.replies["/api/v1/namespaces/b/pods"] = StreamFixture::pod_list("two");
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  CHECK(fixture.synced());
  CHECK(fixture.publisher->latest()->view().count() == 2);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("a resource that cannot be resolved is tried again after the backoff") {
  StreamFixture fixture;
  fixture.config.query.resources = {"pods"};
  fixture.world.transport.failure = Error{Status::transport, "connection refused", "", 502};
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  CHECK(fixture.statistics->state == sync::State::waiting);
  CHECK(fixture.has_callback("error resolving resource pods: "));
  const std::size_t requests = fixture.world.transport.requests.size();
  CHECK(requests > 0);
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  CHECK(fixture.world.transport.requests.size() > requests);
  fixture.run([&] { engine->cancel(); });
}

TEST_CASE("an engine that is cancelled sends and reports nothing more") {
  StreamFixture fixture;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  fixture.run([&] { engine->cancel(); });
  const std::size_t requests = fixture.world.transport.requests.size();
  const std::size_t callbacks = fixture.callbacks().size();
  fixture.world.executor.advance(std::chrono::hours(1));
  fixture.run([&] { engine->on_lost(Error{Status::internal, "lost"}); });
  fixture.run([&] { engine->on_clock_jump(); });
  CHECK(fixture.world.transport.requests.size() == requests);
  CHECK(fixture.callbacks().size() == callbacks);
}

TEST_CASE("what is lost in an exception is an error of the stream, and is tried again") {
  StreamFixture fixture;
  fixture.world.transport.replies["/api/v1/pods"] = StreamFixture::refusal(503);
  const auto engine = fixture.engine();
  fixture.run([&] { engine->start(); });
  fixture.run([&] { engine->on_lost(Error{Status::out_of_memory, "no memory for it"}); });
  CHECK(fixture.has_callback("no memory for it"));
  const std::size_t requests = fixture.world.transport.requests.size();
  fixture.world.executor.advance(fixture.config.sync.backoff_max);
  CHECK(fixture.world.transport.requests.size() > requests);
  fixture.run([&] { engine->cancel(); });
}

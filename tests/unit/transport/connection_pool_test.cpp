// Idle connections: which are used again, with a clock that the test moves.
#include "transport/connection_pool.hpp"

#include <doctest/doctest.h>

#include <chrono>

using ksr::Instant;
using ksr::Milliseconds;
using ksr::transport::ConnectionPool;

namespace {

class ManualExecutor final : public ksr::Executor {
 public:
  void post(std::function<void()> task) override { task(); }
  std::unique_ptr<ksr::Timer> schedule(Instant, std::function<void()>) override {
    return std::make_unique<ksr::Timer>();
  }
  Instant now() const override { return now_; }
  bool on_this_thread() const noexcept override { return true; }
  void pass(Milliseconds time) { now_ += time; }

 private:
  Instant now_{std::chrono::hours(1)};
};

class IdleStream final : public web::connected_stream {
 public:
  void read_some(void*, std::size_t, handler) override {}
  void write_all(std::string, handler) override {}
  bool at_rest() noexcept override { return rests; }
  void close() noexcept override { closed = true; }

  bool rests = true;
  bool closed = false;
};

struct Fixture {
  ManualExecutor executor;
  ConnectionPool pool{executor};
  std::shared_ptr<IdleStream> put() {
    auto stream = std::make_shared<IdleStream>();
    pool.put(stream);
    return stream;
  }
};

}  // namespace

TEST_CASE("the connection that was idle for the shortest time is used first") {
  Fixture fixture;
  const auto first = fixture.put();
  const auto second = fixture.put();
  CHECK(fixture.pool.take(true) == second);
  CHECK(fixture.pool.take(true) == first);
  CHECK(fixture.pool.take(true) == nullptr);
}

TEST_CASE("connections on which something has come while they were idle are closed and not used") {
  Fixture fixture;
  const auto good = fixture.put();
  const auto spoiled = fixture.put();
  spoiled->rests = false;
  const auto spoiled_too = fixture.put();
  spoiled_too->rests = false;
  CHECK(fixture.pool.take(true) == good);
  CHECK(spoiled->closed);
  CHECK(spoiled_too->closed);
  CHECK_FALSE(good->closed);
}

TEST_CASE("a request that cannot be repeated goes over a connection that was idle for a second at most") {
  Fixture fixture;
  const auto first = fixture.put();
  const auto second = fixture.put();
  fixture.executor.pass(Milliseconds(1000));
  CHECK(fixture.pool.take(false) == second);
  fixture.pool.put(second);
  fixture.executor.pass(Milliseconds(1001));
  CHECK(fixture.pool.take(false) == nullptr);
  // The new connection will be put back in the place of the oldest one, so that the pool does not grow.
  CHECK(first->closed);
  CHECK_FALSE(second->closed);
  CHECK(fixture.pool.take(true) == second);
}

TEST_CASE("connections that have been idle for longer than another one waits make way for it") {
  Fixture fixture;
  const auto first = fixture.put();
  fixture.executor.pass(Milliseconds(600));
  const auto second = fixture.put();
  fixture.executor.pass(Milliseconds(600));
  fixture.pool.close_idle(Milliseconds(1'000));
  CHECK(first->closed);
  CHECK_FALSE(second->closed);
  CHECK(fixture.pool.take(true) == second);
  CHECK(fixture.pool.take(true) == nullptr);
}

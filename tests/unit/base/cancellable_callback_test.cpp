#include "base/cancellable_callback.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using ksr::CancellableCallback;
using ksr::PendingCall;

TEST_CASE("a callback runs once, and not after its handle was destroyed") {
  std::vector<int> calls;
  const CancellableCallback<void(int)> callback([&](int value) { calls.push_back(value); });
  PendingCall waiting = callback.handle();
  CHECK(callback.pending());
  callback(1);
  CHECK_FALSE(callback.pending());
  callback(2);
  CHECK(calls == std::vector<int>{1});

  const CancellableCallback<void(int)> cancelled([&](int value) { calls.push_back(value); });
  { const PendingCall given_up = cancelled.handle(); }
  CHECK_FALSE(cancelled.pending());
  cancelled(3);
  CHECK(calls == std::vector<int>{1});
}

TEST_CASE("a moved handle goes on waiting, an assigned one cancels what it waited for") {
  int calls = 0;
  const CancellableCallback<void()> first([&] { ++calls; });
  const CancellableCallback<void()> second([&] { ++calls; });
  PendingCall waiting = first.handle();
  PendingCall moved = std::move(waiting);
  CHECK(first.pending());
  moved = second.handle();
  CHECK_FALSE(first.pending());
  CHECK(second.pending());
  second();
  CHECK(calls == 1);
}

TEST_CASE("the handle may be destroyed within the callback, and what was captured goes with it") {
  auto waiting = std::make_unique<PendingCall>();
  const auto captured = std::make_shared<std::string>("captured");
  std::string seen;
  const CancellableCallback<void(std::string)> callback([&, captured](std::string value) {
    waiting.reset();
    seen = *captured + " " + value;
  });
  *waiting = callback.handle();
  callback("value");
  CHECK(seen == "captured value");
  CHECK(captured.use_count() == 1);
}

TEST_CASE("cancelling destroys what the callback captured, even its own handle") {
  const auto holder = std::make_shared<std::optional<PendingCall>>();
  const CancellableCallback<void()> callback([holder] {});
  *holder = callback.handle();
  CHECK(holder.use_count() == 2);
  (*holder)->cancel();
  CHECK(holder.use_count() == 1);
}

TEST_CASE("an exception of the callback comes out of the call, and it does not run again") {
  int calls = 0;
  const CancellableCallback<void()> callback([&] {
    ++calls;
    throw std::runtime_error("failed");
  });
  const PendingCall waiting = callback.handle();
  CHECK_THROWS_AS(callback(), std::runtime_error);
  callback();
  CHECK(calls == 1);
}

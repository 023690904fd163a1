// Callbacks that throw, and what is closed inside them.
#include <atomic>
#include <memory>
#include <thread>

#include "host/cpp/wrapped.hpp"

using namespace ksr::testing;
using ksr::status;
using ksr::testserver::ApiServer;

namespace {

[[noreturn]] void fail_on_purpose() {
  throw std::logic_error("on purpose");
}

// Until the stream has ended by itself: on_state(CLOSED) is its last callback.
void ended(Told& told) {
  CHECK(told.wait_for("CLOSED"));
}

ksr::config telling(ksr::config config, Told& told) {
  config.on_state([&](ksr::stream_ref, ksr::state now) { told.say(std::string(to_string(now))); });
  return config;
}

}  // namespace

TEST_CASE("an exception of a callback ends its stream, is logged, and is thrown by close once") {
  ApiServer server(with_token());
  server.script("create pods a");
  Told told;
  ksr::config config = telling(pods_on(server), told);
  config.on_update([](ksr::stream_ref, const ksr::snapshot&) { fail_on_purpose(); });
  config.on_log([&](ksr::log_level level, std::string_view line) {
    if (level == ksr::log_level::error) told.say(std::string(line));
  });
  ksr::stream stream(config);
  ended(told);
  CHECK(told.count("on_update has thrown: on purpose") == 1);
  CHECK(text_of(stream.exception()) == "on purpose");
  CHECK_THROWS_WITH_AS(stream.close(), "on purpose", std::logic_error);
  CHECK(stream.exception() == nullptr);
  stream.close();
}

TEST_CASE("it is thrown by what waits for a view that is there already") {
  ApiServer server(with_token());
  server.script("create pods a");
  for (const bool until : {false, true}) {
    CAPTURE(until);
    Told told;
    ksr::config config = telling(pods_on(server), told);
    config.on_update([](ksr::stream_ref, const ksr::snapshot&) { fail_on_purpose(); });
    ksr::stream stream(config);
    ended(told);
    const auto wait = [&] {
      if (until) {
        stream.wait_until([](const ksr::snapshot&) { return true; });
      } else {
        stream.wait_synced();
      }
    };
    CHECK_THROWS_WITH_AS(wait(), "on purpose", std::logic_error);
    CHECK_NOTHROW(wait());
    stream.close();
  }
}

TEST_CASE("it is thrown by what waits for the stream, and by what dispatches it") {
  Told told;
  ksr::config config = telling(nowhere(), told);
  config.on_error([](ksr::stream_ref, const ksr::error&) { throw 7; });
  {
    ksr::stream stream(config);
    CHECK_THROWS_AS(stream.wait_synced(), int);
    CHECK(status_of([&] { stream.wait_synced(); }) == status::cancelled);
  }
  config.set("delivery", "manual");
  ksr::stream stream(config);
  bool has_thrown = false;
  for (int tries = 0; tries < 3'000 && !has_thrown; ++tries) {
    try {
      stream.dispatch();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    } catch (int number) {
      CHECK(number == 7);
      has_thrown = true;
    }
  }
  CHECK(has_thrown);
  stream.close();
}

TEST_CASE("an exception that no call throws is dropped with its stream") {
  Told told;
  ksr::config config = nowhere();
  config.on_error([&](ksr::stream_ref, const ksr::error&) {
    told.say("error");
    fail_on_purpose();
  });
  {
    const ksr::stream stream(config);
    CHECK(told.wait_for("error"));
  }
  CHECK(told.count("error") == 1);
}

TEST_CASE("it is destroyed where it was thrown again, not beside that where the callback ran") {
  struct Owned : std::runtime_error {
    explicit Owned(std::shared_ptr<void> on_end) : std::runtime_error("on purpose"), guard(std::move(on_end)) {}
    std::shared_ptr<void> guard;
  };
  std::atomic<std::thread::id> destroyed_on{std::thread::id()};
  std::atomic<bool> is_handled{false};
  ksr::config config = nowhere();
  config.on_error([&](ksr::stream_ref, const ksr::error&) {
    throw Owned(std::shared_ptr<void>(nullptr, [&](void*) { destroyed_on = std::this_thread::get_id(); }));
  });
  // Keeps the callback's thread between the exception and its end: long enough for one that could be had already.
  config.on_log([&](ksr::log_level level, std::string_view) {
    if (level != ksr::log_level::error) return;
    for (int tries = 0; tries < 100 && !is_handled; ++tries) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  ksr::stream stream(config);
  for (int tries = 0; tries < 10'000 && stream.exception() == nullptr; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto never = [](const ksr::snapshot&) { return false; };
  CHECK_THROWS_AS(stream.wait_until(never, std::chrono::milliseconds(1)), Owned);
  is_handled = true;
  stream.close();
  CHECK(destroyed_on.load() == std::this_thread::get_id());
}

TEST_CASE("on_exception takes it, and all goes on") {
  ApiServer server(with_token());
  server.script("create pods a");
  Told told;
  ksr::config config = telling(pods_on(server), told);
  config.on_update([&](ksr::stream_ref, const ksr::snapshot& view) {
    told.say("update " + std::to_string(view.sequence()));
    fail_on_purpose();
  });
  config.on_exception([&](const std::exception_ptr& thrown, std::string_view callback) {
    told.say(std::string(callback) + ": " + text_of(thrown));
  });
  ksr::stream stream(config);
  CHECK(told.wait_for("update 1"));
  server.script("update pods a");
  CHECK(told.wait_for("update 2"));
  CHECK(told.wait_for("on_update: on purpose", 2));
  CHECK(told.count("CLOSED") == 0);
  CHECK(stream.exception() == nullptr);
  stream.close();
}

TEST_CASE("an on_exception that throws is as if there were none") {
  Told told;
  ksr::config config = telling(nowhere(), told);
  config.on_error([](ksr::stream_ref, const ksr::error&) { fail_on_purpose(); });
  config.on_exception([](const std::exception_ptr&, std::string_view) { throw std::runtime_error("again"); });
  ksr::stream stream(config);
  ended(told);
  CHECK_THROWS_WITH_AS(stream.close(), "again", std::runtime_error);
}

TEST_CASE("exceptions of on_log and on_state, and of on_destroy") {
  ksr::config config = nowhere();
  config.on_log([](ksr::log_level, std::string_view) { fail_on_purpose(); });
  {
    ksr::stream stream(config);
    CHECK_THROWS_WITH_AS(stream.wait_synced(), "on purpose", std::logic_error);
  }
  config.on_log(nullptr).on_state([](ksr::stream_ref, ksr::state) { fail_on_purpose(); });
  {
    ksr::stream stream(config);
    CHECK_THROWS_WITH_AS(stream.wait_synced(), "on purpose", std::logic_error);
  }
  config.on_state(nullptr).on_destroy([] { fail_on_purpose(); });
  {
    ksr::stream stream(config);
    CHECK_THROWS_WITH_AS(stream.close(), "on purpose", std::logic_error);
  }
  // Before a failing open returns, with what it fails with.
  ksr::config nothing;
  nothing.on_destroy([] { fail_on_purpose(); });
  CHECK(ksr::stream::try_open(nothing).code() == status::invalid);
}

TEST_CASE("inside its own callbacks a stream cannot be closed, but destroyed") {
  Told told;
  // Its callbacks refer to it: they start once it is there.
  std::optional<ksr::stream> stream;
  std::mutex mutex;
  ksr::config config = nowhere();
  config.on_error([&](ksr::stream_ref named, const ksr::error&) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (!stream.has_value()) return;
    CHECK(named == *stream);
    CHECK(stream->try_close() == status::would_deadlock);
    CHECK(status_of([&] { stream->close(); }) == status::would_deadlock);
    stream.reset();
    told.say("reset");
  });
  config.on_state([&](ksr::stream_ref, ksr::state now) { told.say(std::string(to_string(now))); });
  config.on_destroy([&] { told.say("destroyed"); });
  {
    const std::lock_guard<std::mutex> lock(mutex);
    stream.emplace(config);
  }
  CHECK(told.wait_for("destroyed"));
  CHECK(told.count("reset") == 1);
  CHECK(told.count("CLOSED") == 1);
  CHECK(told.all().back() == "destroyed");
}

TEST_CASE("a stream that is assigned another inside its callback ends after it") {
  Told told;
  std::mutex mutex;
  std::optional<ksr::stream> stream;
  const ksr::config other = nowhere();
  ksr::config config = nowhere();
  config.on_error([&](ksr::stream_ref, const ksr::error&) {
    const std::lock_guard<std::mutex> lock(mutex);
    if (told.count("replaced") > 0) return;
    *stream = ksr::stream(other);
    told.say("replaced");
  });
  config.on_destroy([&] { told.say("destroyed"); });
  {
    const std::lock_guard<std::mutex> lock(mutex);
    stream.emplace(config);
  }
  CHECK(told.wait_for("destroyed"));
  CHECK(told.all() == std::vector<std::string>{"replaced", "destroyed"});
  CHECK(stream->try_wait_synced(std::chrono::milliseconds(0)) == status::timeout);
}

TEST_CASE("cancelled inside a callback: none follows but the last") {
  ApiServer server(with_token());
  server.script("create pods a\nchurn pods 100/s");
  Told told;
  ksr::config config = telling(pods_on(server), told);
  config.on_update([&](ksr::stream_ref stream, const ksr::snapshot&) {
    told.say("update");
    stream.cancel();
  });
  ksr::stream stream(config);
  ended(told);
  stream.close();
  CHECK(told.count("update") == 1);
}

TEST_CASE("what callbacks throw while many threads close and ask") {
  ApiServer server(with_token());
  server.script("populate pods 5\nchurn pods 200/s");
  for (int round = 0; round < 20; ++round) {
    ksr::config config = pods_on(server);
    config.on_update([round](ksr::stream_ref, const ksr::snapshot& view) {
      if (view.sequence() > static_cast<std::uint64_t>(round % 3)) fail_on_purpose();
    });
    ksr::stream stream(config);
    stream.try_wait_synced(round % 2 == 0 ? kWaitLimit : std::chrono::milliseconds(1));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        const ksr::snapshot latest = stream.latest();
        stream.try_stat("objects");
        static_cast<void>(stream.exception());
        try {
          stream.close();
        } catch (const std::logic_error&) {
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(stream.exception() == nullptr);
  }
}

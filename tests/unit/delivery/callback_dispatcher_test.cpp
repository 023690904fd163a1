#include "delivery/callback_dispatcher.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <stdexcept>
#include <thread>

#include "support/allocation_failure.hpp"
#include "unit/delivery/fake_host.hpp"
#include "unit/delivery/objects.hpp"

using namespace ksr;
using namespace ksr::delivery;

namespace {

struct Setup {
  explicit Setup(Mode mode, Milliseconds min_interval = Milliseconds(0), const FakeHost::Wants& wants = {}) {
    auto owned = std::make_unique<FakeHost>(call_log, wants);
    host = owned.get();
    dispatcher = CallbackDispatcher::create(Options{mode, min_interval}, std::move(owned), publisher).value();
  }
  void update() {
    put(*publisher, "pod", std::to_string(++version));
    dispatcher->post_update();
  }

  // So many changes at once that the dispatcher takes them for a burst.
  void many() {
    ++version;
    publisher->view().write([this](store::Cache& cache) {
      cache.begin_list();
      for (int i = 0; i < 40; ++i) {
        with_pod("many-" + std::to_string(i), std::to_string(version), [&](const auto& item) { cache.stage(item); });
      }
      cache.commit_list(std::to_string(version));
    });
    dispatcher->post_update();
  }

  CallLog call_log;
  FakeHost* host = nullptr;
  std::shared_ptr<Publisher> publisher = std::make_shared<Publisher>(std::make_shared<SharedView>(0));
  std::shared_ptr<CallbackDispatcher> dispatcher;
  int version = 100;
};

}  // namespace

TEST_CASE("close delivers CLOSED as the last callback, then destroy, then returns") {
  for (Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode);
    CHECK(setup.dispatcher->close() == Status::ok);
    CHECK(setup.call_log.lines() == std::vector<std::string>{"state 5", "destroy"});
    CHECK(setup.dispatcher->close() == Status::ok);
    CHECK(setup.call_log.count("destroy") == 1);
  }
}

TEST_CASE("changes while the host is busy are merged into one update") {
  Setup setup(Mode::thread);
  std::atomic<bool> go{false};
  setup.host->during_update = [&] {
    while (!go) std::this_thread::yield();
  };
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  REQUIRE(setup.call_log.wait_for("update 1: 1 objects, 1 deltas"));
  for (int i = 0; i < 1'000; ++i) setup.update();
  go = true;
  REQUIRE(setup.call_log.wait_for("update 2: 1 objects, 1 deltas"));
  CHECK(setup.dispatcher->close() == Status::ok);
  CHECK(setup.dispatcher->deliveries() == 2);
}

TEST_CASE("what comes after a snapshot that ksr_latest showed is delivered after it") {
  for (Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode);
    std::atomic<bool> go{mode == Mode::manual};
    setup.host->during_update = [&] {
      while (!go) std::this_thread::yield();
    };
    list(*setup.publisher, {"pod"}, "1");
    setup.dispatcher->post_update();
    if (mode == Mode::manual) setup.dispatcher->dispatch();
    REQUIRE(setup.call_log.wait_for("update 1: 1 objects, 1 deltas"));
    setup.update();
    CHECK(setup.publisher->latest()->sequence() == 2);
    setup.update();
    go = true;
    for (int i = 0; mode == Mode::manual && i < 2; ++i) setup.dispatcher->dispatch();
    CHECK(setup.call_log.wait_for("update 3: 1 objects, 1 deltas"));
    setup.dispatcher->close();
  }
}

TEST_CASE("close inside a callback is refused and does nothing; close_async is for that") {
  Setup setup(Mode::thread);
  Status inside = Status::ok;
  std::atomic<bool> gone{false};
  setup.host->during_update = [&] {
    inside = setup.dispatcher->close();
    setup.dispatcher->close_async([&] { gone = true; });
  };
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  REQUIRE(setup.call_log.wait_for("destroy"));
  CHECK(inside == Status::would_deadlock);
  CHECK(setup.call_log.lines() == std::vector<std::string>{"update 1: 1 objects, 1 deltas", "state 5", "destroy"});
  CHECK(setup.dispatcher->close() == Status::ok);
  for (int i = 0; i < 10'000 && !gone; ++i) std::this_thread::sleep_for(Milliseconds(1));
  CHECK(gone);
}

TEST_CASE("after cancel no update and no error starts") {
  for (Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode);
    list(*setup.publisher, {"pod"}, "1");
    std::atomic<bool> go{false};
    setup.host->during_error = [&] {
      while (!go) std::this_thread::yield();
    };
    setup.dispatcher->post_error({Error{Status::transport, "first"}, Milliseconds(1)});
    if (mode == Mode::thread) REQUIRE(setup.call_log.wait_for("error first"));
    setup.dispatcher->post_update();
    setup.dispatcher->post_error({Error{Status::transport, "second"}, Milliseconds(1)});
    setup.dispatcher->cancel();
    setup.dispatcher->cancel();
    go = true;
    setup.dispatcher->post_update();
    setup.dispatcher->post_error({Error{Status::transport, "third"}, Milliseconds(1)});
    setup.dispatcher->post_state(sync::State::live);
    CHECK(setup.dispatcher->close() == Status::ok);
    std::vector<std::string> expected{"state 5", "destroy"};
    if (mode == Mode::thread) expected.insert(expected.begin(), "error first");
    CHECK(setup.call_log.lines() == expected);
  }
}

TEST_CASE("an end by a fatal error still delivers what waits") {
  Setup setup(Mode::manual);
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  setup.dispatcher->post_error({Error{Status::invalid, "fatal"}, std::nullopt});
  setup.dispatcher->end();
  setup.dispatcher->post_state(sync::State::live);
  CHECK(setup.dispatcher->dispatch() == 3);
  CHECK(setup.call_log.lines() ==
        std::vector<std::string>{"update 1: 1 objects, 1 deltas", "error fatal", "state 5", "destroy"});
  CHECK(setup.dispatcher->dispatch() == 0);
  CHECK(setup.dispatcher->close() == Status::ok);
}

TEST_CASE("delivery=manual: the descriptor is readable exactly while something waits") {
  Setup setup(Mode::manual);
  const int fd = setup.dispatcher->fd();
  REQUIRE(fd >= 0);
  CHECK_FALSE(readable(fd));
  CHECK(setup.dispatcher->dispatch() == 0);
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  CHECK(readable(fd));
  CHECK(setup.dispatcher->dispatch() == 1);
  CHECK_FALSE(readable(fd));
  setup.dispatcher->cancel();
  CHECK(readable(fd));
  CHECK(setup.dispatcher->dispatch() == 1);
  CHECK_FALSE(readable(fd));
  CHECK(setup.call_log.lines().back() == "destroy");
  setup.dispatcher->close();
}

TEST_CASE("what the host has no callback for does not wait for it, and dispatch does not count it") {
  FakeHost::Wants wants{true, false, false, false, false};
  SUBCASE("on_update alone") {
    Setup setup(Mode::manual, Milliseconds(0), wants);
    setup.dispatcher->post_state(sync::State::live);
    setup.dispatcher->post_error({Error{Status::transport, "once"}, Milliseconds(1)});
    CHECK_FALSE(readable(setup.dispatcher->fd()));
    CHECK(setup.dispatcher->dispatch() == 0);
    list(*setup.publisher, {"pod"}, "1");
    setup.dispatcher->post_update();
    CHECK(setup.dispatcher->dispatch() == 1);
    setup.dispatcher->cancel();
    CHECK(setup.dispatcher->dispatch() == 0);
    setup.dispatcher->close();
  }
  SUBCASE("on_state and on_error") {
    wants = {false, true, true, false, false};
    Setup setup(Mode::manual, Milliseconds(0), wants);
    setup.update();
    CHECK_FALSE(readable(setup.dispatcher->fd()));
    setup.dispatcher->post_state(sync::State::live);
    setup.dispatcher->post_error({Error{Status::transport, "once"}, Milliseconds(1)});
    CHECK(setup.dispatcher->dispatch() == 2);
    setup.dispatcher->cancel();
    CHECK(setup.dispatcher->dispatch() == 1);
    setup.dispatcher->close();
  }
  SUBCASE("with others of a client") {
    std::int64_t of_the_end = 0;
    SUBCASE("destroy alone") {
      wants = {false, false, false, false, true};
      of_the_end = 1;
    }
    SUBCASE("on_update alone") {}
    const auto runner = CallbackRunner::create(Options{Mode::manual}).value();
    CallLog call_log;
    const auto publisher = std::make_shared<Publisher>(std::make_shared<SharedView>(0));
    const auto dispatcher =
        CallbackDispatcher::create(Options{Mode::manual}, std::make_unique<FakeHost>(call_log, wants), publisher,
                                   SharedDelivery{runner, nullptr})
            .value();
    dispatcher->post_state(sync::State::live);
    CHECK(runner->dispatch() == 0);
    dispatcher->end();
    CHECK(runner->dispatch() == of_the_end);
    dispatcher->close();
    runner->stop();
  }
}

TEST_CASE("changes are merged with those that wait for on_update") {
  Setup setup(Mode::manual);
  CHECK(setup.dispatcher->post_update(3) == 2);
  CHECK(setup.dispatcher->post_update() == 1);
  CHECK(setup.dispatcher->post_update(4) == 4);
  setup.dispatcher->close();
  Setup closed(Mode::manual);
  closed.dispatcher->close();
  CHECK(closed.dispatcher->post_update(4) == 0);
  Setup without(Mode::manual, Milliseconds(0), {false, true, true, true, true});
  CHECK(without.dispatcher->post_update(3) == 0);
  CHECK(without.dispatcher->post_update(3) == 0);
  without.dispatcher->close();
}

TEST_CASE("an error that waits is told without any memory") {
  for (const bool fatal : {false, true}) {
    Setup setup(Mode::manual);
    setup.dispatcher->post_error({Error{Status::forbidden, std::string(100, 'x'), std::string(100, 'y')},
                                  fatal ? std::nullopt : std::optional(Milliseconds(1))});
    {
      const ksr::testing::FailingAllocation no_memory(0);
      CHECK(setup.dispatcher->dispatch() == 1);
      CHECK_FALSE(no_memory.has_failed());
    }
    CHECK(setup.call_log.lines() == std::vector<std::string>{"error " + std::string(100, 'x')});
    setup.dispatcher->close();
  }
}

TEST_CASE("an update for which there is no memory is tried again after a pause, for which nothing is readable") {
  Setup setup(Mode::manual);
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  {
    const ksr::testing::FailingAllocation no_memory(0);
    CHECK(setup.dispatcher->dispatch() == 0);
    CHECK(no_memory.has_failed());
  }
  // It may be due already where the machine is slow.
  int dispatches = 0;
  pollfd entry{setup.dispatcher->fd(), POLLIN, 0};
  while (setup.call_log.lines().empty()) {
    REQUIRE(poll(&entry, 1, 10'000) == 1);
    setup.dispatcher->dispatch();
    ++dispatches;
  }
  CHECK(dispatches == 1);
  CHECK(setup.call_log.lines() == std::vector<std::string>{"update 1: 1 objects, 1 deltas"});
  setup.dispatcher->close();
}

TEST_CASE("delivery=manual: callbacks run inside dispatch only, one dispatch at a time") {
  Setup setup(Mode::manual);
  std::int64_t nested = -1;
  const std::thread::id me = std::this_thread::get_id();
  std::thread::id caller;
  setup.host->during_update = [&] {
    nested = setup.dispatcher->dispatch();
    caller = std::this_thread::get_id();
  };
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  CHECK(setup.dispatcher->dispatch() == 1);
  CHECK(nested == 0);
  CHECK((caller == me));
  setup.dispatcher->close();
}

TEST_CASE("delivery=manual: close_async inside a callback ends the stream within that dispatch") {
  Setup setup(Mode::manual);
  bool gone = false;
  setup.host->during_update = [&] { setup.dispatcher->close_async([&] { gone = true; }); };
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  setup.dispatcher->dispatch();
  CHECK(gone);
  CHECK(setup.call_log.lines().back() == "destroy");
}

TEST_CASE("an exception of a callback is dropped and logged, and the stream goes on") {
  for (Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode);
    setup.host->during_update = [] { throw std::runtime_error("host"); };
    list(*setup.publisher, {"pod"}, "1");
    setup.dispatcher->post_update();
    if (mode == Mode::manual) {
      setup.dispatcher->dispatch();
      setup.dispatcher->dispatch();
    }
    CHECK(setup.call_log.wait_for("log a callback of the host threw an exception, which was dropped"));
    setup.dispatcher->close();
    CHECK(setup.call_log.lines().back() == "destroy");
  }
}

TEST_CASE("delivery=thread has no descriptor and no dispatch") {
  Setup setup(Mode::thread);
  CHECK(setup.dispatcher->fd() == -1);
  CHECK(setup.dispatcher->dispatch() == static_cast<std::int64_t>(Status::invalid));
  setup.dispatcher->close();
}

TEST_CASE("min_interval delays updates, not errors") {
  Setup setup(Mode::manual, std::chrono::hours(1));
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  CHECK(setup.dispatcher->dispatch() == 1);
  setup.update();
  CHECK_FALSE(readable(setup.dispatcher->fd()));
  CHECK(setup.dispatcher->dispatch() == 0);
  setup.dispatcher->post_error({Error{Status::transport, "now"}, Milliseconds(1)});
  CHECK(readable(setup.dispatcher->fd()));
  CHECK(setup.dispatcher->dispatch() == 1);
  CHECK(setup.call_log.lines().back() == "error now");
  setup.dispatcher->close();
}

TEST_CASE("min_interval: a delayed update comes when it is due") {
  for (Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode, Milliseconds(20));
    list(*setup.publisher, {"pod"}, "1");
    setup.dispatcher->post_update();
    if (mode == Mode::manual) setup.dispatcher->dispatch();
    REQUIRE(setup.call_log.wait_for("update 1: 1 objects, 1 deltas"));
    setup.update();
    if (mode == Mode::manual) {
      pollfd entry{setup.dispatcher->fd(), POLLIN, 0};
      REQUIRE(poll(&entry, 1, 10'000) == 1);
      setup.dispatcher->dispatch();
    }
    CHECK(setup.call_log.wait_for("update 2: 1 objects, 1 deltas"));
    setup.dispatcher->close();
  }
}

TEST_CASE("after a burst the delivery thread waits for a fixed time, and then looks for the next change by itself") {
  Setup setup(Mode::thread);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence) {
    setup.many();
    REQUIRE(setup.call_log.wait_for("update " + std::to_string(sequence) + ": 40 objects, 40 deltas"));
  }
  setup.update();
  CHECK(setup.call_log.wait_for("update 6: 41 objects, 1 deltas"));
  setup.dispatcher->close();
}

TEST_CASE("errors and the end do not wait for the end of that time") {
  for (const bool fatal : {true, false}) {
    Setup setup(Mode::thread, Milliseconds(60'000));
    setup.many();
    REQUIRE(setup.call_log.wait_for("update 1: 40 objects, 40 deltas"));
    setup.update();
    setup.dispatcher->post_error({Error{Status::transport, "lost"}, Milliseconds(1)});
    REQUIRE(setup.call_log.wait_for("error lost"));
    CHECK(setup.dispatcher->deliveries() == 1);
    if (fatal) {
      setup.dispatcher->end();
      CHECK(setup.call_log.wait_for("update 2: 41 objects, 1 deltas"));
      CHECK(setup.call_log.wait_for("destroy"));
    }
    CHECK(setup.dispatcher->close() == Status::ok);
    CHECK(setup.call_log.lines().back() == "destroy");
    CHECK(setup.dispatcher->deliveries() == (fatal ? 2 : 1));
  }
}

TEST_CASE("wait_synced: in time, too late, cancelled") {
  Setup setup(Mode::thread);
  CHECK(setup.dispatcher->wait_synced(Milliseconds(0)) == Status::timeout);
  std::thread waiter([&] { CHECK(setup.dispatcher->wait_synced(std::nullopt) == Status::ok); });
  setup.dispatcher->mark_synced();
  waiter.join();
  Setup other(Mode::thread);
  std::thread loser([&] { CHECK(other.dispatcher->wait_synced(std::nullopt) == Status::cancelled); });
  other.dispatcher->cancel();
  loser.join();
  setup.dispatcher->close();
  other.dispatcher->close();
}

TEST_CASE("wait_synced without limit ends when the stream fails for good, though the host does not dispatch") {
  for (const Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode);
    std::thread waiter([&] { CHECK(setup.dispatcher->wait_synced(std::nullopt) == Status::cancelled); });
    // Most likely inside the wait by then; the test holds either way.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    setup.dispatcher->end();
    waiter.join();
    setup.dispatcher->close();
  }
}

TEST_CASE("wait_until: the view as it is, then each change; the time limit; nothing is dispatched for it") {
  for (const Mode mode : {Mode::thread, Mode::manual}) {
    Setup setup(mode);
    CHECK(setup.dispatcher->wait_until([](const Snapshot&) { return Status::ok; }, Milliseconds(0)) == Status::timeout);
    list(*setup.publisher, {"pod"}, "1");
    setup.dispatcher->post_update();
    int tests = 0;
    const std::thread::id me = std::this_thread::get_id();
    const auto never = [&](const Snapshot&) -> std::optional<Status> {
      CHECK((std::this_thread::get_id() == me));
      ++tests;
      return std::nullopt;
    };
    CHECK(setup.dispatcher->wait_until(never, Milliseconds(0)) == Status::timeout);
    CHECK(setup.dispatcher->wait_until(never, Milliseconds(20)) == Status::timeout);
    CHECK(tests == 2);
    std::atomic<bool> begun{false};
    std::uint64_t last = 0;
    std::thread writer([&] {
      while (!begun) std::this_thread::yield();
      for (int i = 0; i < 1'000; ++i) setup.update();
    });
    const auto at_the_end = [&](const Snapshot& snapshot) -> std::optional<Status> {
      begun = true;
      CHECK(snapshot.sequence() > last);
      last = snapshot.sequence();
      if (snapshot.view().at(0)->resource_version() != "1100") return std::nullopt;
      return Status::ok;
    };
    CHECK(setup.dispatcher->wait_until(at_the_end, std::nullopt) == Status::ok);
    writer.join();
    CHECK(setup.dispatcher->close() == Status::ok);
  }
}

TEST_CASE("wait_until: a view that changes with each test does not keep it beyond its limit") {
  Setup setup(Mode::manual);
  list(*setup.publisher, {"pod"}, "1");
  const auto changing = [&](const Snapshot&) -> std::optional<Status> {
    setup.update();
    return std::nullopt;
  };
  CHECK(setup.dispatcher->wait_until(changing, Milliseconds(20)) == Status::timeout);
  CHECK(setup.dispatcher->close() == Status::ok);
}

TEST_CASE("wait_until without limit ends with the stream; what it has received last is tested") {
  for (const Mode mode : {Mode::thread, Mode::manual}) {
    for (const bool fails : {true, false}) {
      Setup setup(mode);
      list(*setup.publisher, {"pod"}, "1");
      std::atomic<int> tests{0};
      const auto never = [&](const Snapshot&) -> std::optional<Status> {
        ++tests;
        return std::nullopt;
      };
      std::thread waiter([&] { CHECK(setup.dispatcher->wait_until(never, std::nullopt) == Status::cancelled); });
      while (tests == 0) std::this_thread::yield();
      if (fails) {
        put(*setup.publisher, "pod", "2");
        setup.dispatcher->end();
      } else {
        setup.dispatcher->close();
      }
      waiter.join();
      CHECK(tests == (fails ? 2 : 1));
      CHECK(setup.dispatcher->wait_until([](const Snapshot&) { return Status::ok; }, std::nullopt) == Status::ok);
      CHECK(setup.dispatcher->wait_until(never, std::nullopt) == Status::cancelled);
      setup.dispatcher->close();
    }
  }
}

TEST_CASE("wait_until tests what a stream has received last though its end is over meanwhile") {
  Setup setup(Mode::thread);
  list(*setup.publisher, {"pod"}, "1");
  int tests = 0;
  const auto slow = [&](const Snapshot&) -> std::optional<Status> {
    if (++tests > 1) return std::nullopt;
    put(*setup.publisher, "pod", "2");
    setup.dispatcher->end();
    REQUIRE(setup.call_log.wait_for("destroy"));
    return std::nullopt;
  };
  CHECK(setup.dispatcher->wait_until(slow, std::nullopt) == Status::cancelled);
  CHECK(tests == 2);
  setup.dispatcher->close();
}

TEST_CASE("wait_until inside a callback, and a test that closes the stream") {
  Setup setup(Mode::thread);
  std::atomic<bool> there{false};
  setup.host->during_update = [&] {
    const auto second = [](const Snapshot& snapshot) {
      return snapshot.view().count() == 2 ? std::optional(Status::ok) : std::nullopt;
    };
    if (!there) there = setup.dispatcher->wait_until(second, std::nullopt) == Status::ok;
  };
  list(*setup.publisher, {"pod"}, "1");
  setup.dispatcher->post_update();
  REQUIRE(setup.call_log.wait_for("update 1: 1 objects, 1 deltas"));
  put(*setup.publisher, "other", "2");
  setup.dispatcher->post_update();
  REQUIRE(setup.call_log.wait_for("update 2: 2 objects, 1 deltas"));
  CHECK(there);
  const auto closing = [&](const Snapshot&) -> std::optional<Status> {
    CHECK(setup.dispatcher->close() == Status::ok);
    return std::nullopt;
  };
  CHECK(setup.dispatcher->wait_until(closing, std::nullopt) == Status::cancelled);
}

TEST_CASE("closing and cancelling from many threads at once ends once") {
  for (int round = 0; round < 50; ++round) {
    const Mode mode = round % 2 == 0 ? Mode::thread : Mode::manual;
    Setup setup(mode);
    list(*setup.publisher, {"pod"}, "1");
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        setup.dispatcher->post_update();
        if (i % 4 == 0) setup.dispatcher->cancel();
        if (i % 4 == 1) setup.dispatcher->dispatch();
        if (i % 4 == 2) setup.dispatcher->close_async([] {});
        setup.dispatcher->close();
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(setup.call_log.count("state 5") == 1);
    CHECK(setup.call_log.count("destroy") == 1);
    CHECK(setup.call_log.lines().back() == "destroy");
  }
}

TEST_CASE("in the delivery of a client: the client's thread or descriptor, and its end is told once") {
  for (Mode mode : {Mode::thread, Mode::manual}) {
    const auto runner = CallbackRunner::create(Options{mode}).value();
    std::atomic<int> ended{0};
    CallLog call_log;
    const auto publisher = std::make_shared<Publisher>(std::make_shared<SharedView>(0));
    const auto dispatcher = CallbackDispatcher::create(Options{mode}, std::make_unique<FakeHost>(call_log), publisher,
                                                       SharedDelivery{runner, [&] { ++ended; }})
                                .value();
    CHECK(dispatcher->fd() == runner->fd());
    dispatcher->post_state(sync::State::live);
    list(*publisher, {"pod"}, "1");
    dispatcher->post_update();
    if (mode == Mode::manual) {
      // One callback a turn, then the others that wait have theirs.
      CHECK(dispatcher->dispatch() == 1);
      CHECK(readable(dispatcher->fd()));
      CHECK(dispatcher->dispatch() == 1);
      CHECK_FALSE(readable(dispatcher->fd()));
    } else {
      REQUIRE(call_log.wait_for("update 1: 1 objects, 1 deltas"));
    }
    CHECK(ended == 0);
    CHECK(dispatcher->close() == Status::ok);
    CHECK(ended == 1);
    CHECK(call_log.lines().back() == "destroy");
    CHECK(dispatcher->close() == Status::ok);
    runner->stop();
    runner->join();
    CHECK(ended == 1);
  }
}

TEST_CASE("in the delivery of a client: one that could not be opened ends where that is found, in a callback too") {
  const auto runner = CallbackRunner::create(Options{Mode::manual}).value();
  int ended = 0;
  CallLog call_log;
  class Opening final : public CallbackSource {
   public:
    explicit Opening(std::function<void()> body) : body_(std::move(body)) {}
    Turn take_turn() override {
      body_();
      return {true, false};
    }

   private:
    std::function<void()> body_;
  };
  runner->post(std::make_shared<Opening>([&] {
    const auto dispatcher = CallbackDispatcher::create(Options{Mode::manual}, std::make_unique<FakeHost>(call_log),
                                                       std::make_shared<Publisher>(std::make_shared<SharedView>(0)),
                                                       SharedDelivery{runner, [&] { ++ended; }})
                                .value();
    dispatcher->log(LogLevel::info, "never told");
    dispatcher->abandon();
    CHECK(ended == 1);
    CHECK(call_log.lines() == std::vector<std::string>{"destroy"});
  }));
  CHECK(runner->dispatch() == 1);
  CHECK(runner->dispatch() == 0);
  runner->stop();
}

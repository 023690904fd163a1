#include "delivery/callback_runner.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "unit/delivery/fake_host.hpp"

using namespace ksr;
using namespace ksr::delivery;

namespace {

class Source final : public CallbackSource {
 public:
  explicit Source(std::function<Turn()> turn) : turn_(std::move(turn)) {}
  Turn take_turn() override { return turn_(); }

 private:
  std::function<Turn()> turn_;
};

std::shared_ptr<Source> noting(std::vector<std::string>& notes, const std::string& name) {
  return std::make_shared<Source>([&notes, name] {
    notes.push_back(name);
    return CallbackSource::Turn{true, false};
  });
}

using Notes = std::vector<std::string>;

}  // namespace

TEST_CASE("sources have their turns in order, one for all posts before it") {
  const auto runner = CallbackRunner::create({Mode::manual}).value();
  Notes notes;
  const auto a = noting(notes, "a");
  const auto b = noting(notes, "b");
  CHECK_FALSE(readable(runner->fd()));
  runner->post(a);
  runner->post(b);
  runner->post(a);
  CHECK(readable(runner->fd()));
  CHECK(runner->dispatch() == 2);
  CHECK(notes == (Notes{"a", "b"}));
  CHECK_FALSE(readable(runner->fd()));
  CHECK(runner->dispatch() == 0);
}

TEST_CASE("a source with more waits behind the others, and dispatch runs what waits when it is called") {
  const auto runner = CallbackRunner::create({Mode::manual}).value();
  Notes notes;
  const auto more = std::make_shared<Source>([&] {
    notes.emplace_back("more");
    return CallbackSource::Turn{true, notes.size() < 4};
  });
  runner->post(more);
  runner->post(noting(notes, "b"));
  CHECK(runner->dispatch() == 2);
  CHECK(notes == (Notes{"more", "b"}));
  CHECK(readable(runner->fd()));
  CHECK(runner->dispatch() == 1);
  CHECK(runner->dispatch() == 1);
  CHECK(runner->dispatch() == 0);
}

TEST_CASE("delivery=manual: a source that ends has its turn at once, or right after the one that runs") {
  const auto runner = CallbackRunner::create({Mode::manual}).value();
  Notes notes;
  const auto end = noting(notes, "end");
  runner->post(noting(notes, "waits"));
  runner->post_ending(end);
  CHECK(notes == Notes{"end"});
  const auto late = noting(notes, "late");
  runner->post(std::make_shared<Source>([&] {
    CHECK(runner->inside());
    CHECK(runner->dispatch() == 0);
    runner->post_ending(late);
    notes.emplace_back("inside");
    return CallbackSource::Turn{true, false};
  }));
  CHECK(runner->dispatch() == 3);
  CHECK(notes == (Notes{"end", "waits", "inside", "late"}));
  CHECK_FALSE(runner->inside());
}

TEST_CASE("run_here waits for the turn that runs") {
  const auto runner = CallbackRunner::create({Mode::manual}).value();
  std::atomic<bool> running{false};
  std::atomic<bool> go_on{false};
  std::atomic<int> at_once{0};
  runner->post(std::make_shared<Source>([&] {
    ++at_once;
    running = true;
    while (!go_on) std::this_thread::yield();
    --at_once;
    return CallbackSource::Turn{true, false};
  }));
  std::thread dispatching([&] { runner->dispatch(); });
  while (!running) std::this_thread::yield();
  Source here([&] {
    CHECK(at_once == 0);
    return CallbackSource::Turn{true, false};
  });
  std::thread releasing([&] { go_on = true; });
  runner->run_here(here);
  dispatching.join();
  releasing.join();
}

TEST_CASE("delivery=thread: turns run on one thread, which ends when told to") {
  const auto runner = CallbackRunner::create({Mode::thread}).value();
  CHECK(runner->fd() == -1);
  CHECK(runner->dispatch() == static_cast<std::int64_t>(Status::invalid));
  std::atomic<int> turns{0};
  std::atomic<bool> here{false};
  const std::thread::id me = std::this_thread::get_id();
  for (int i = 0; i < 50; ++i) {
    runner->post(std::make_shared<Source>([&] {
      if (std::this_thread::get_id() == me) here = true;
      ++turns;
      return CallbackSource::Turn{true, false};
    }));
  }
  while (turns < 50) std::this_thread::yield();
  runner->stop();
  runner->join();
  CHECK_FALSE(here);
  // Dropped, not kept.
  Notes notes;
  const auto dropped = noting(notes, "dropped");
  runner->post(dropped);
  CHECK(dropped.use_count() == 1);
}

TEST_CASE("a turn for later comes when it is due, in the order of the times, or earlier when asked for") {
  using namespace std::chrono_literals;
  const auto runner = CallbackRunner::create({Mode::manual, Milliseconds(1)}).value();
  const Instant now = std::chrono::steady_clock::now();
  Notes notes;
  const auto a = noting(notes, "a");
  const auto b = noting(notes, "b");
  const auto c = noting(notes, "c");
  runner->post_at(a, now + 1h);
  CHECK_FALSE(readable(runner->fd()));
  CHECK(runner->dispatch() == 0);
  runner->post_at(b, now - 1ms);
  runner->post_at(c, now - 2ms);
  CHECK(readable(runner->fd()));
  CHECK(runner->dispatch() == 2);
  CHECK(notes == (Notes{"c", "b"}));
  CHECK_FALSE(readable(runner->fd()));
  // A later time does not put it off, an earlier one brings it forward.
  runner->post_at(a, now + 2h);
  CHECK(runner->dispatch() == 0);
  runner->post_at(a, now - 1ms);
  CHECK(runner->dispatch() == 1);
  runner->post_at(a, now + 1h);
  runner->post(a);
  CHECK(runner->dispatch() == 1);
  CHECK(runner->dispatch() == 0);
  runner->post(b);
  runner->post_at(b, now + 1h);
  CHECK(runner->dispatch() == 1);
  // One that ends does not wait for its time.
  runner->post_at(c, now + 1h);
  runner->post_ending(c);
  CHECK(notes == (Notes{"c", "b", "a", "a", "b", "c"}));
  runner->post_at(a, now + 1h);
  runner->stop();
  CHECK(a.use_count() == 1);
}

TEST_CASE("delivery=thread: the thread wakes up for the turn that is due first") {
  using namespace std::chrono_literals;
  const auto runner = CallbackRunner::create({Mode::thread}).value();
  const Instant now = std::chrono::steady_clock::now();
  std::atomic<int> turns{0};
  const auto counting = std::make_shared<Source>([&] {
    ++turns;
    return CallbackSource::Turn{true, false};
  });
  runner->post_at(std::make_shared<Source>([] { return CallbackSource::Turn{}; }), now + 1h);
  runner->post_at(counting, now + 1h);
  runner->post_at(counting, now + 5ms);
  while (turns == 0) std::this_thread::yield();
  CHECK(std::chrono::steady_clock::now() >= now + 5ms);
  runner->stop();
  runner->join();
  CHECK(turns == 1);
}

#include "base/blocking_pool.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <signal.h>

#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <ostream>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#include "support/wait_limit.hpp"

using ksr::BlockingPool;
using ksr::Error;
using ksr::Expected;
using ksr::Status;

namespace {

// Runs what was posted on the thread of the test.
class QueueExecutor final : public ksr::Executor {
 public:
  void post(std::function<void()> task) override {
    // Notified under the mutex: the test may destroy this as soon as it has the task.
    const std::lock_guard lock(tasks_mutex_);
    tasks_.push_back(std::move(task));
    posted_.notify_all();
  }
  std::unique_ptr<ksr::Timer> schedule(ksr::Instant, std::function<void()>) override { return nullptr; }
  ksr::Instant now() const override { return {}; }
  bool on_this_thread() const noexcept override { return true; }

  void run_one() {
    std::function<void()> task;
    {
      std::unique_lock lock(tasks_mutex_);
      REQUIRE(posted_.wait_for(lock, ksr::testing::kWaitLimit, [this] { return !tasks_.empty(); }));
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }

 private:
  std::mutex tasks_mutex_;
  std::condition_variable posted_;
  std::deque<std::function<void()>> tasks_;
};

struct NotifyWhenDestroyed {
  explicit NotifyWhenDestroyed(std::shared_ptr<std::promise<void>> promise_in) : promise(std::move(promise_in)) {}
  ~NotifyWhenDestroyed() { promise->set_value(); }
  const std::shared_ptr<std::promise<void>> promise;
};

bool comes(std::future<void> future) {
  return future.wait_for(ksr::testing::kWaitLimit) == std::future_status::ready;
}

}  // namespace

TEST_CASE("a task runs on a named thread that the host's signals do not reach") {
  BlockingPool pool("ksr-test", 1);
  const auto done = std::make_shared<std::promise<void>>();
  std::string name;
  sigset_t mask;
  std::thread::id thread;
  REQUIRE(pool.run([&, done] {
    char text[16] = "";
    pthread_getname_np(pthread_self(), text, sizeof text);
    name = text;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    thread = std::this_thread::get_id();
    done->set_value();
  }));
  REQUIRE(comes(done->get_future()));
  CHECK(name == "ksr-test");
  CHECK(sigismember(&mask, SIGTERM) == 1);
  CHECK((thread != std::this_thread::get_id()));
}

TEST_CASE("there are no more threads than allowed, and tasks that wait for one run in order") {
  constexpr int kThreads = 3;
  constexpr int kTasks = 30;
  // Owned by the tasks, too: the last of them end after the test has seen that they have begun.
  struct Seen {
    std::mutex mutex;
    std::condition_variable changed;
    std::set<std::thread::id> threads;
    std::vector<int> begun;
    bool may_end = false;
  };
  const auto seen = std::make_shared<Seen>();
  BlockingPool pool("ksr-test", kThreads);
  for (int i = 0; i < kTasks; ++i) {
    REQUIRE(pool.run([seen, i] {
      std::unique_lock lock(seen->mutex);
      seen->threads.insert(std::this_thread::get_id());
      seen->begun.push_back(i);
      seen->changed.notify_all();
      seen->changed.wait(lock, [&] { return seen->may_end; });
    }));
  }
  std::unique_lock lock(seen->mutex);
  const auto wait_until_begun = [&](std::size_t count) {
    return seen->changed.wait_for(lock, ksr::testing::kWaitLimit, [&] { return seen->begun.size() == count; });
  };
  // All threads are started, for as long as all of them block.
  REQUIRE(wait_until_begun(kThreads));
  CHECK(std::set<int>(seen->begun.begin(), seen->begun.end()) == std::set<int>{0, 1, 2});
  seen->may_end = true;
  seen->changed.notify_all();
  REQUIRE(wait_until_begun(kTasks));
  CHECK(seen->threads.size() == kThreads);
}

TEST_CASE("the result of a call, or its exception, comes to the executor") {
  BlockingPool pool("ksr-test", 2);
  QueueExecutor executor;
  const auto caller = std::this_thread::get_id();
  std::vector<Expected<std::string>> results;
  const auto done = [&](Expected<std::string> result) {
    CHECK((std::this_thread::get_id() == caller));
    results.push_back(std::move(result));
  };
  pool.call<std::string>(
      executor, [] { return std::string("value"); }, done);
  CHECK(results.empty());
  executor.run_one();
  pool.call<std::string>(
      executor,
      [] {
        return Error{Status::transport, "no such name"};
      },
      done);
  executor.run_one();
  pool.call<std::string>(
      executor, []() -> Expected<std::string> { throw std::runtime_error("it threw"); }, done);
  executor.run_one();
  REQUIRE(results.size() == 3);
  CHECK(*results[0] == "value");
  CHECK(results[1].error().message == "no such name");
  CHECK(results[2].error().status == Status::internal);
  CHECK(results[2].error().message.find("it threw") != std::string::npos);
}

TEST_CASE("a pool that is destroyed drops the tasks that have not begun, and waits for none") {
  const auto begun = std::make_shared<std::promise<void>>();
  std::promise<void> may_end;
  const auto dropped = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<void>>();
  bool ran = false;
  {
    BlockingPool pool("ksr-test", 1);
    REQUIRE(pool.run([begun, ended, end = may_end.get_future().share()] {
      begun->set_value();
      end.wait();
      ended->set_value();
    }));
    REQUIRE(comes(begun->get_future()));
    REQUIRE(pool.run([&ran, notify = std::make_shared<NotifyWhenDestroyed>(dropped)] { ran = true; }));
  }
  CHECK(comes(dropped->get_future()));
  may_end.set_value();
  CHECK(comes(ended->get_future()));
  CHECK_FALSE(ran);
}

TEST_CASE("what a task owns is destroyed when it has run, not when the next one comes") {
  BlockingPool pool("ksr-test", 1);
  const auto destroyed = std::make_shared<std::promise<void>>();
  REQUIRE(pool.run([notify = std::make_shared<NotifyWhenDestroyed>(destroyed)] {}));
  CHECK(comes(destroyed->get_future()));
}

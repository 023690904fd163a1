// Fakes of the network, the clock and the threads for the cluster module: everything happens when the test says so.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/exception_error.hpp"
#include "cluster/open_access.hpp"
#include "support/allocation_failure.hpp"
#include "support/temporary_directory.hpp"

namespace ksr::cluster::testing {

class FakeExecutor final : public Executor {
 public:
  void post(std::function<void()> task) override {
    // As that of the network thread, which has a reserve.
    const ksr::testing::WithMemory with_memory;
    const std::lock_guard lock(tasks_mutex_);
    tasks_.push_back(std::move(task));
  }
  std::unique_ptr<Timer> schedule(Instant at, std::function<void()> task) override {
    const Timers::key_type key{at, ++last_timer_};
    auto timer = std::make_unique<FakeTimer>(*this, key);
    timers_.emplace(key, std::move(task));
    return timer;
  }
  Instant now() const override { return now_; }
  bool on_this_thread() const noexcept override { return running_; }

  void run() {
    running_ = true;
    while (auto task = next()) task();
    running_ = false;
  }
  void advance(Milliseconds by) {
    now_ += by;
    running_ = true;
    while (!timers_.empty() && timers_.begin()->first.first <= now_) {
      const auto task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      task();
    }
    run();
  }
  bool idle() const {
    const std::lock_guard lock(tasks_mutex_);
    return tasks_.empty();
  }

  // For tests that do something between two tasks: one timer that is due, or one task. False: there is neither.
  bool run_one(bool timer_first) {
    const bool due = !timers_.empty() && timers_.begin()->first.first <= now_;
    std::function<void()> task;
    if (due && (timer_first || idle())) {
      task = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
    } else {
      task = next();
    }
    if (!task) return false;
    const Running running(running_);
    // It is destroyed before the next one runs, as by the network thread.
    std::exchange(task, nullptr)();
    return true;
  }
  // Everything that is to be done by now. An exception ends the task alone, as on the network thread.
  void run_despite_exceptions() {
    for (bool more = true; more;) {
      try {
        more = run_one(true);
      } catch (...) {
      }
    }
  }
  // Time alone: what is due then runs with run_one().
  void pass(Milliseconds by) { now_ += by; }
  std::optional<Instant> next_timer() const {
    return timers_.empty() ? std::nullopt : std::optional<Instant>(timers_.begin()->first.first);
  }

 private:
  // By time and then by number: never by address, which another timer has once the first is gone.
  using Timers = std::map<std::pair<Instant, std::uint64_t>, std::function<void()>>;
  // An exception may end a task.
  class Running {
   public:
    explicit Running(bool& running) : running_(running) { running_ = true; }
    ~Running() { running_ = false; }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

   private:
    bool& running_;
  };
  class FakeTimer final : public Timer {
   public:
    FakeTimer(FakeExecutor& executor, Timers::key_type key) : executor_(executor), key_(key) {}
    ~FakeTimer() override { executor_.timers_.erase(key_); }

   private:
    FakeExecutor& executor_;
    const Timers::key_type key_;
  };

  std::function<void()> next() {
    const std::lock_guard lock(tasks_mutex_);
    if (tasks_.empty()) return nullptr;
    auto task = std::move(tasks_.front());
    tasks_.pop_front();
    return task;
  }

  // Outlives the tasks: one that never ran may hold a timer.
  Timers timers_;
  std::uint64_t last_timer_ = 0;
  mutable std::mutex tasks_mutex_;
  std::deque<std::function<void()>> tasks_;
  Instant now_{std::chrono::hours(1000)};
  bool running_ = false;
};

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<transport::Header> headers = {};
  bool goes_on = false;  // without an end
  std::string retry_after = {};
};

// Answers requests by their target, unknown ones with 404; or leaves them to `serve`.
class FakeTransport final : public transport::Transport {
 public:
  explicit FakeTransport(FakeExecutor& executor) : executor_(executor) {}

  Expected<std::shared_ptr<transport::Connection>> connect(const transport::ConnectionSettings& settings) override {
    connects.push_back(settings);
    if (thrown) std::rethrow_exception(thrown);
    if (refusal) return *refusal;
    return std::shared_ptr<transport::Connection>(std::make_shared<FakeConnection>(*this));
  }

  std::map<std::string, Reply> replies;
  std::optional<Error> failure;
  std::optional<Error> refusal;
  std::exception_ptr thrown;
  std::exception_ptr thrown_by_get;
  std::vector<transport::ConnectionSettings> connects;
  std::vector<transport::Request> requests;
  // The targets of those whose exchange was paused.
  std::vector<std::string> paused;
  bool silent = false;
  // Exchange::connecting() of all that is not served.
  std::string connecting;
  // When set, it answers each request instead, in later tasks: the observer is called while `alive` says that the
  // exchange exists.
  std::function<void(const transport::Request& request, transport::ExchangeObserver& observer,
                     const std::shared_ptr<const bool>& alive)>
      serve;

  // An exception ends the exchange, as that of the network.
  static void deliver(const Reply& reply, transport::ExchangeObserver& observer,
                      const std::shared_ptr<const bool>& alive) {
    bool ends = false;
    try {
      observer.on_head({reply.status, reply.content_type, reply.retry_after, reply.headers});
      // In two pieces: an answer seldom comes in one.
      const std::size_t half = reply.body.size() / 2;
      if (*alive && half > 0) observer.on_body(std::string_view(reply.body).substr(0, half));
      if (*alive) observer.on_body(std::string_view(reply.body).substr(half));
      ends = true;
      if (*alive && !reply.goes_on) observer.on_end(std::nullopt);
    } catch (...) {
      if (ends || !*alive) throw;
      observer.on_end(error_of_exception());
    }
  }

  // The watches whose exchange exists.
  std::size_t open_watches() const {
    std::size_t open = 0;
    for (const Sent& sent : sent_) open += sent.is_open_watch() ? 1 : 0;
    return open;
  }
  // Whether the exchange of such a request exists, be it at its end.
  bool holds(const std::string& target) const {
    return std::any_of(sent_.begin(), sent_.end(),
                       [&](const Sent& sent) { return *sent.alive && sent.target == target; });
  }
  // Each of them receives these bytes. On the executor.
  void send_to_watches(std::string_view bytes) {
    for (std::size_t i = 0; i < sent_.size(); ++i) {
      if (sent_[i].is_open_watch()) sent_[i].observer->on_body(bytes);
      if (sent_[i].is_open_watch()) sent_[i].observer->on_drained();
    }
  }

 private:
  struct Sent {
    std::string target;
    std::shared_ptr<bool> alive;
    transport::ExchangeObserver* observer;
    bool is_open_watch() const { return *alive && target.find("watch=true") != std::string::npos; }
  };
  class FakeExchange final : public transport::Exchange {
   public:
    FakeExchange(std::shared_ptr<bool> alive, FakeTransport& transport, std::string target, bool sent = false)
        : alive_(std::move(alive)), transport_(transport), target_(std::move(target)), sent_(sent) {}
    ~FakeExchange() override { *alive_ = false; }
    bool is_sent() const noexcept override { return sent_; }
    std::string connecting() const override { return sent_ ? std::string() : transport_.connecting; }
    void pause() override { transport_.paused.push_back(target_); }

   private:
    std::shared_ptr<bool> alive_;
    FakeTransport& transport_;
    const std::string target_;
    const bool sent_;
  };
  class FakeConnection final : public transport::Connection {
   public:
    explicit FakeConnection(FakeTransport& transport) : transport_(transport) {}
    std::unique_ptr<transport::Exchange> send(transport::Request request,
                                              transport::ExchangeObserver& observer) override {
      return transport_.answer(std::move(request), observer);
    }
    std::unique_ptr<transport::Exchange> open_websocket(transport::Request request,
                                                        transport::ExchangeObserver& observer) override {
      return transport_.answer(std::move(request), observer);
    }

   private:
    FakeTransport& transport_;
  };

  std::unique_ptr<transport::Exchange> answer(transport::Request request, transport::ExchangeObserver& observer) {
    if (serve) {
      const ksr::testing::WithMemory with_memory;
      auto alive = std::make_shared<bool>(true);
      serve(request, observer, alive);
      return std::make_unique<FakeExchange>(alive, *this, request.target, true);
    }
    requests.push_back(request);
    if (thrown_by_get) std::rethrow_exception(thrown_by_get);
    auto alive = std::make_shared<bool>(true);
    // Made first: whatever is thrown from here on, the observer is not called.
    auto exchange = std::make_unique<FakeExchange>(alive, *this, request.target);
    sent_.push_back({request.target, alive, &observer});
    if (silent) return exchange;
    executor_.post([this, alive, request, &observer] {
      if (!*alive) return;
      if (failure) return observer.on_end(failure);
      deliver(reply_to(request.target), observer, alive);
    });
    return exchange;
  }

  Reply reply_to(const std::string& target) const {
    const ksr::testing::WithMemory with_memory;
    const auto found = replies.find(target);
    return found == replies.end() ? Reply{404, "404 page not found\n", "text/plain"} : found->second;
  }

  FakeExecutor& executor_;
  std::vector<Sent> sent_;
};

class RecordingLogger final : public Logger {
 public:
  bool wants(LogLevel) const noexcept override { return true; }
  void log(LogLevel level, std::string line) override {
    levels.push_back(level);
    lines.push_back(std::move(line));
  }
  std::vector<std::string> lines;
  // Of the line at the same index.
  std::vector<LogLevel> levels;
};

using ksr::testing::TemporaryDirectory;

// One thread: tasks of spawn_blocking() wait in `blocking_tasks` until run_all() runs them.
struct World {
  World() {
    process_env.variable = [this](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional<std::string>(found->second);
    };
    process_env.variables = [this] {
      std::vector<std::string> all;
      for (const auto& [name, value] : variables) all.push_back(name + "=" + value);
      return all;
    };
    process_env.service_account_directory = files.path("service-account");
    process_env.wall_clock = [this] { return wall; };
    process_env.spawn_blocking = [this](std::function<void()> task) {
      if (no_threads) return false;
      blocking_tasks.push_back(std::move(task));
      return true;
    };
    variables["HOME"] = files.path("home");
  }
  // What the test has opened is destroyed by tasks.
  ~World() { executor.run(); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Expected<std::shared_ptr<Access>> open(const ConnectionOptions& options, std::string* name_space = nullptr) {
    return open_access_in(options, {executor, transport}, process_env, registry, logger, name_space);
  }
  // Everything that can happen without time passing.
  void run_all() {
    do {
      executor.run();
      for (auto& task : std::exchange(blocking_tasks, {})) task();
    } while (!executor.idle() || !blocking_tasks.empty());
  }
  void pass(Milliseconds time) {
    wall += time;
    executor.advance(time);
  }
  // authenticate(), and its result.
  std::optional<Expected<RequestAuth>> authenticate(Access& access) {
    std::optional<Expected<RequestAuth>> answer;
    const auto pending =
        access.authenticate(Purpose::request, [&](Expected<RequestAuth> auth) { answer.emplace(std::move(auth)); });
    run_all();
    return answer;
  }

  TemporaryDirectory files;
  std::map<std::string, std::string> variables;
  WallTime wall{std::chrono::hours(24 * 365 * 56)};
  std::vector<std::function<void()>> blocking_tasks;
  bool no_threads = false;
  RecordingLogger logger;
  FakeExecutor executor;
  FakeTransport transport{executor};
  ProcessEnvironment process_env;
  SharedAccessRegistry registry;
};

// The warnings that a credential is sent over http.
inline std::vector<std::string> clear_text_warnings(const RecordingLogger& logger) {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; i < logger.lines.size(); ++i) {
    const bool about_http = logger.lines[i].find("sent over http") != std::string::npos;
    if (about_http && logger.levels[i] == LogLevel::warning) warnings.push_back(logger.lines[i]);
  }
  return warnings;
}

inline std::string header(const RequestAuth& auth, const std::string& name) {
  for (const auto& header : auth.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

}  // namespace ksr::cluster::testing

#include "transport/network_thread.hpp"

#include <pplx/threadpool.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <new>
#include <optional>
#include <random>
#include <utility>

#include "base/exception_error.hpp"
#include "base/standard_descriptors.hpp"
#include "base/thread.hpp"
#include "base/thread_check.hpp"
#include "transport/io_service.hpp"
#include "transport/posted_task.hpp"

namespace ksr::transport {
namespace {

// A plain bool: no constructor or destructor runs in any thread because of it.
thread_local bool this_is_the_network_thread = false;

struct TimerState {
  explicit TimerState(std::function<void()> task) : timer(io_service()), callback(std::move(task)) {}
  boost::asio::steady_timer timer;
  std::function<void()> callback;
};

class AsioTimer final : public Timer {
 public:
  explicit AsioTimer(std::shared_ptr<TimerState> timer) : timer_(std::move(timer)) {}
  ~AsioTimer() override {
    // The completion may be queued already, so cancelling alone is not enough.
    timer_->callback = nullptr;
    boost::system::error_code ignored;
    timer_->timer.cancel(ignored);
  }

 private:
  std::shared_ptr<TimerState> timer_;
};

// Asio's reactor has descriptors (epoll, eventfd, timerfd), and its timers need the reactor. The network thread makes
// it as it starts; when the process had no descriptors left, before the next timer.
bool make_reactor() {
  static bool made = false;
  if (made) return true;
  try {
    const StandardDescriptorsReserved reserved;
    const boost::asio::steady_timer needs_it(io_service());
    made = true;
  } catch (const boost::system::system_error&) {
    // Tried again.
  }
  return made;
}

// The timers of a process without descriptors; run_forever waits for them. Network thread only.
class TimersWithoutReactor {
 public:
  std::unique_ptr<Timer> add(Instant at, std::function<void()> task) {
    auto callback = std::make_shared<std::function<void()>>(std::move(task));
    std::unique_ptr<Timer> owner = std::make_unique<Owner>(callback);
    callbacks_.emplace(at, std::move(callback));
    return owner;
  }

  std::optional<Instant> next() const {
    return callbacks_.empty() ? std::nullopt : std::optional(callbacks_.begin()->first);
  }

  void run_due(Instant now) {
    while (!callbacks_.empty() && callbacks_.begin()->first <= now) {
      const auto callback = std::move(callbacks_.begin()->second);
      callbacks_.erase(callbacks_.begin());
      if (const auto task = std::exchange(*callback, nullptr)) task();
    }
  }

 private:
  using Callback = std::shared_ptr<std::function<void()>>;

  class Owner final : public Timer {
   public:
    explicit Owner(Callback callback) : callback_(std::move(callback)) {}
    ~Owner() override { *callback_ = nullptr; }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

   private:
    const Callback callback_;
  };

  std::multimap<Instant, Callback> callbacks_;
};

TimersWithoutReactor& timers_without_reactor() {
  static TimersWithoutReactor* const leaked = new TimersWithoutReactor;
  return *leaked;
}

// Network thread only.
std::shared_ptr<std::function<void(const Error&)>> recover_lost_tasks;

// The pause before lost tasks are restarted. Needs no memory.
class RecoveryPause {
 public:
  Milliseconds next(Instant now) {
    if (now - last_ > kCalm) base_ = kShortest;
    const Milliseconds pause =
        base_ + Milliseconds(std::uniform_int_distribution<int>(0, static_cast<int>(base_.count()))(random_));
    base_ = std::min(base_ * 2, kLongest);
    last_ = now + pause;
    return pause;
  }

 private:
  static constexpr Milliseconds kShortest{20};
  static constexpr Milliseconds kLongest{30'000};
  static constexpr std::chrono::minutes kCalm{2};

  // Seeded by the time: processes of one machine that run out of memory together must not all restart at the same time.
  std::minstd_rand random_{
      static_cast<std::minstd_rand::result_type>(std::chrono::steady_clock::now().time_since_epoch().count())};
  Milliseconds base_ = kShortest;
  Instant last_{};
};

struct Loss {
  Error error;
  Instant recover_at;
};

void recover_from(const Error& error) {
  // It may replace itself.
  if (const auto recover = recover_lost_tasks) (*recover)(error);
}

std::optional<Instant> earlier(std::optional<Instant> a, std::optional<Instant> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

void run_forever() {
  this_is_the_network_thread = true;
  RecoveryPause pause;
  std::optional<Loss> loss;
  for (;;) {
    try {
      const std::optional<Instant> recover_at = loss ? std::optional(loss->recover_at) : std::nullopt;
      const std::optional<Instant> wake_at = earlier(recover_at, timers_without_reactor().next());
      const Instant now = std::chrono::steady_clock::now();
      if (!wake_at) {
        io_service().run();
      } else if (now < *wake_at) {
        io_service().run_until(*wake_at);
      } else {
        timers_without_reactor().run_due(now);
        if (recover_at && *recover_at <= now) {
          const Loss due = *std::exchange(loss, std::nullopt);
          recover_from(due.error);
        }
      }
      // schedule() stops it, for another time to wake at.
      io_service().restart();
    } catch (...) {
      const Instant now = std::chrono::steady_clock::now();
      if (!loss) loss = Loss{error_of_exception(), now + pause.next(now)};
    }
  }
}

}  // namespace

boost::asio::io_service& io_service() {
  static boost::asio::io_service& shared = []() -> boost::asio::io_service& {
    // Without threads of its own: the network thread runs it. Never destroyed (exit_guard.cpp).
    crossplat::threadpool::initialize_with_threads(0);
    return crossplat::threadpool::shared_instance().service();
  }();
  return shared;
}

NetworkThread& NetworkThread::instance() {
  static NetworkThread* const leaked = new NetworkThread;
  return *leaked;
}

NetworkThread::NetworkThread() {
  // Made before anything is posted: a destructor that posts must not be the first to need it.
  io_service();
  make_reactor();
  auto thread = start_thread("ksr-net", run_forever);
  if (!thread) throw std::bad_alloc();
  thread->detach();
}

void NetworkThread::post(std::function<void()> task) {
  boost::asio::post(io_service(), PostedTask{std::move(task)});
}

std::unique_ptr<Timer> NetworkThread::schedule(Instant at, std::function<void()> task) {
  KSR_ASSERT_ON_THREAD(*this);
  if (!make_reactor()) {
    std::unique_ptr<Timer> timer = timers_without_reactor().add(at, std::move(task));
    io_service().stop();
    return timer;
  }
  auto timer = std::make_shared<TimerState>(std::move(task));
  // Owned before it is armed: a timer without an owner could not be cancelled.
  std::unique_ptr<Timer> owner = std::make_unique<AsioTimer>(timer);
  timer->timer.expires_at(at);
  timer->timer.async_wait([timer](const boost::system::error_code&) {
    if (!timer->callback) return;
    const std::function<void()> callback = std::exchange(timer->callback, nullptr);
    callback();
  });
  return owner;
}

void NetworkThread::on_lost_task(std::function<void(const Error&)> recover) {
  auto kept = std::make_shared<std::function<void(const Error&)>>(std::move(recover));
  post([kept = std::move(kept)]() mutable { recover_lost_tasks.swap(kept); });
}

bool NetworkThread::on_this_thread() const noexcept {
  return this_is_the_network_thread;
}

}  // namespace ksr::transport

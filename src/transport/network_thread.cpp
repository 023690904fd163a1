#include "transport/network_thread.hpp"

#include <pplx/threadpool.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <new>
#include <thread>
#include <utility>

#include "base/thread.hpp"
#include "transport/io_service.hpp"
#include "transport/posted_task.hpp"

namespace ksr::transport {
namespace {

// A plain pointer: no constructor or destructor runs in any thread on its account.
thread_local bool this_is_the_network_thread = false;

struct Alarm {
  explicit Alarm(std::function<void()> task) : timer(io_service()), ring(std::move(task)) {}
  boost::asio::steady_timer timer;
  std::function<void()> ring;
};

class AlarmTimer final : public Timer {
 public:
  explicit AlarmTimer(std::shared_ptr<Alarm> alarm) : alarm_(std::move(alarm)) {}
  ~AlarmTimer() override {
    // The completion may be queued already, so cancelling alone is not enough.
    alarm_->ring = nullptr;
    alarm_->timer.cancel();
  }

 private:
  std::shared_ptr<Alarm> alarm_;
};

// Network thread only.
std::function<void()>* recover_lost_tasks = nullptr;

constexpr std::chrono::milliseconds until_there_is_memory{20};

void run_for_ever() {
  this_is_the_network_thread = true;
  bool lost = false;
  for (;;) {
    try {
      if (lost && recover_lost_tasks != nullptr) (*recover_lost_tasks)();
      lost = false;
      io_service().run();
    } catch (...) {
      // Only when memory is out: nobody knows whose task it was.
      lost = true;
      std::this_thread::sleep_for(until_there_is_memory);
    }
  }
}

}  // namespace

boost::asio::io_service& io_service() {
  return crossplat::threadpool::shared_instance().service();
}

NetworkThread& NetworkThread::instance() {
  static NetworkThread* const leaked = new NetworkThread;
  return *leaked;
}

NetworkThread::NetworkThread() {
  // Made before anybody posts: a destructor that posts must not be the first to need it.
  io_service();
  auto thread = start_thread("ksr-net", run_for_ever);
  if (!thread) throw std::bad_alloc();
  thread->detach();
}

void NetworkThread::post(std::function<void()> task) {
  boost::asio::post(io_service(), PostedTask{std::move(task)});
}

std::unique_ptr<Timer> NetworkThread::schedule(Instant at, std::function<void()> task) {
  auto alarm = std::make_shared<Alarm>(std::move(task));
  // Owned before it is armed: an alarm without an owner would ring for somebody who is gone.
  std::unique_ptr<Timer> owner = std::make_unique<AlarmTimer>(alarm);
  alarm->timer.expires_at(at);
  alarm->timer.async_wait([alarm](const boost::system::error_code&) {
    if (!alarm->ring) return;
    const std::function<void()> ring = std::exchange(alarm->ring, nullptr);
    ring();
  });
  return owner;
}

void NetworkThread::on_lost_task(std::function<void()> recover) {
  post([kept = new std::function<void()>(std::move(recover))] { recover_lost_tasks = kept; });
}

bool NetworkThread::on_this_thread() const noexcept {
  return this_is_the_network_thread;
}

}  // namespace ksr::transport

// The floor of a single change: a socket is read on one thread and another thread is notified, with nothing done in
// between. What remains is what the machine and its kernel take for two wake-ups.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

constexpr std::uint64_t kRate = 1000;

class OtherThread {
 public:
  OtherThread() : thread_([this] { run(); }) {}
  ~OtherThread() {
    notify(true);
    thread_.join();
  }
  OtherThread(const OtherThread&) = delete;
  OtherThread& operator=(const OtherThread&) = delete;

  void notify(bool last = false) {
    {
      const std::lock_guard lock(mutex_);
      notified_ = true;
      ended_ = last;
    }
    changed_.notify_one();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
      changed_.wait(lock, [this] { return notified_; });
      notified_ = false;
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool notified_ = false;
  bool ended_ = false;
  std::thread thread_;
};

class Socket {
 public:
  explicit Socket(int socket) : socket_(socket), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    epoll_event event{};
    event.events = EPOLLIN;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket_, &event);
  }
  ~Socket() {
    close(epoll_);
    close(socket_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // Waits for bytes and reads them; whether the event of that resourceVersion is among them.
  bool read(std::uint64_t version) {
    epoll_event event{};
    epoll_wait(epoll_, &event, 1, -1);
    const ssize_t got = recv(socket_, buffer_.data() + kept_, buffer_.size() - kept_, 0);
    if (got <= 0) throw std::runtime_error("the watch ended early");
    const std::string_view text(buffer_.data(), kept_ + static_cast<std::size_t>(got));
    const bool found = text.find("\"resourceVersion\":\"" + std::to_string(version) + '"') != text.npos;
    const std::string tail(text.substr(text.size() - std::min<std::size_t>(text.size(), kTail)));
    kept_ = tail.copy(buffer_.data(), tail.size());
    return found;
  }

 private:
  static constexpr std::size_t kTail = 64;

  int socket_;
  int epoll_;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
  std::size_t kept_ = 0;
};

}  // namespace

void run_handover(const Setup& setup, Report& report) {
  Socket socket(setup.control.open("GET /api/v1/pods?watch=true HTTP/1.1\r\nHost: bench\r\n\r\n"));
  setup.control.wait_for_watchers(1);
  OtherThread other;
  const double cpu = cpu_seconds();
  const std::uint64_t goal = setup.control.go(setup.events, kRate).goal;
  std::uint64_t reads = 0;
  for (bool last = false; !last; ++reads) {
    last = socket.read(goal);
    other.notify();
  }
  report.add("events", setup.events);
  report.add("reads", reads);
  report.add("cpu_us_per_change", (cpu_seconds() - cpu) / static_cast<double>(setup.events) * 1e6);
  report.add_json("correct", "true");
}

}  // namespace ksr::bench

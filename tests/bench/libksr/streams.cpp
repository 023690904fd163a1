// Many streams in one process, all dispatched by this thread: threads, and what each stream costs when idle.
#include <poll.h>

#include <deque>
#include <stdexcept>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

struct Watcher {
  ksr_stream* stream = nullptr;
  std::uint64_t updates = 0;
};

void count_update(ksr_stream*, const ksr_snapshot*, void* watcher) {
  ++static_cast<Watcher*>(watcher)->updates;
}

class Crowd {
 public:
  Crowd(Settings settings, std::size_t size) : watchers_(size) {
    settings["delivery"] = "manual";
    // What each costs that asks for something of its own.
    settings["share"] = "false";
    for (Watcher& each : watchers_) {
      each.stream = open_stream(settings, count_update, nullptr, &each);
      descriptors_.push_back({ksr_fd(each.stream), POLLIN, 0});
    }
  }

  ~Crowd() {
    for (const Watcher& each : watchers_) ksr_close(each.stream);
  }

  // Waits until every stream has delivered that many updates.
  void dispatch_until(std::uint64_t updates) {
    const double deadline = now_seconds() + 180;
    while (behind(updates) > 0) {
      if (now_seconds() > deadline)
        throw std::runtime_error(std::to_string(behind(updates)) + " streams had no update");
      dispatch_for(100);
    }
  }

  void dispatch_for(int milliseconds) {
    if (poll(descriptors_.data(), descriptors_.size(), milliseconds) <= 0) return;
    for (std::size_t i = 0; i < watchers_.size(); ++i) {
      if ((descriptors_[i].revents & POLLIN) != 0) ksr_dispatch(watchers_[i].stream);
    }
  }

  std::size_t behind(std::uint64_t updates) const {
    std::size_t count = 0;
    for (const Watcher& each : watchers_) count += each.updates < updates ? 1 : 0;
    return count;
  }

 private:
  std::deque<Watcher> watchers_;
  std::vector<pollfd> descriptors_;
};

}  // namespace

void run_streams(const Setup& setup, Report& report) {
  constexpr std::uint64_t kStreams = 1000;
  const std::uint64_t start = resident_bytes();
  const double begin = now_seconds();
  Crowd crowd(setup.settings, kStreams);
  crowd.dispatch_until(1);
  setup.control.wait_for_watchers(kStreams);
  report.add("open_seconds", now_seconds() - begin);
  for (double end = now_seconds() + setup.settle; now_seconds() < end;) crowd.dispatch_for(100);
  const double cpu = cpu_seconds();
  sleep_seconds(setup.settle);
  report.add("idle_cpu_percent", (cpu_seconds() - cpu) / setup.settle * 100);
  report.add("streams", kStreams);
  report.add("threads", thread_count());
  report.add("bytes_per_stream", static_cast<double>(resident_bytes() - start) / static_cast<double>(kStreams));
  const double sent = now_seconds();
  setup.control.go(1);
  crowd.dispatch_until(2);
  report.add("event_to_all_seconds", now_seconds() - sent);
  report.add_json("correct", crowd.behind(2) == 0 ? "true" : "false");
}

}  // namespace ksr::bench

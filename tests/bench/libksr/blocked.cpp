// A host that does not return from its callback while events pour in: what that costs in memory, and whether the next
// delivery is right.
#include <atomic>
#include <cstdlib>

#include "cases.hpp"
#include "process.hpp"

namespace bench {
namespace {

constexpr double kBlockSeconds = 10;

// Every event changes the next object in turn, so the objects of a snapshot have the last `count` resourceVersions.
bool whole(const ksr_snapshot* snapshot) {
  const std::uint64_t count = ksr_snapshot_count(snapshot);
  const std::uint64_t version = std::strtoull(ksr_snapshot_resource_version(snapshot, nullptr), nullptr, 10);
  return version_sum(snapshot) == count * version - count * (count - 1) / 2;
}

class Blocker {
 public:
  void arm(Host& host) {
    host_ = &host;
    armed_ = true;
  }

  void operator()(const ksr_snapshot* snapshot) {
    if (armed_.exchange(false)) {
      sleep_seconds(kBlockSeconds);
      events_ = host_->stat("events");
      resident_ = resident_bytes();
      peak_ = peak_bytes();
      next_ = true;
    } else if (next_) {
      next_ = false;
      next_whole_ = whole(snapshot);
      next_deltas_ = ksr_snapshot_delta_count(snapshot);
    }
  }

  void add_to(std::uint64_t idle, Report& report) const {
    report.add("events_while_blocked", events_);
    report.add("above_idle_bytes", static_cast<double>(peak_) - static_cast<double>(idle));
    report.add("resident_above_idle_bytes", static_cast<double>(resident_) - static_cast<double>(idle));
    report.add("next_deltas", next_deltas_);
    report.add_json("next_right", next_whole_ ? "true" : "false");
  }

 private:
  Host* host_ = nullptr;
  std::atomic<bool> armed_{false};
  bool next_ = false;
  bool next_whole_ = false;
  std::uint64_t next_deltas_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t resident_ = 0;
  std::uint64_t peak_ = 0;
};

}  // namespace

void run_blocked(const Setup& setup, Report& report) {
  Blocker blocker;
  Host host(setup.settings, [&](const ksr_snapshot* snapshot) { blocker(snapshot); });
  host.wait_for_first();
  setup.control.wait_for_watchers(1);
  sleep_seconds(setup.settle);
  const std::uint64_t idle = resident_bytes();
  reset_peak();
  blocker.arm(host);
  host.wait_for_version(setup.control.go(setup.events).goal);
  report.add("events", setup.events);
  report.add("idle_bytes", idle);
  blocker.add_to(idle, report);
  report.add("peak_afterwards_bytes", static_cast<double>(peak_bytes()) - static_cast<double>(idle));
  add_correct(setup, host, report);
}

}  // namespace bench

// A host that does not return from its callback while events arrive: what that costs in memory, and whether the next
// delivery is correct.
#include <atomic>
#include <cstdlib>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

constexpr double kBlockSeconds = 10;

// Events change objects in turn, so the changed objects of a snapshot have the last resourceVersions, and the others
// still that of the list.
struct Expected {
  std::uint64_t listed;    // the resourceVersion of the list
  std::uint64_t changing;  // how many objects events change

  bool matches(const ksr_snapshot* snapshot) const {
    const std::uint64_t version = std::strtoull(ksr_snapshot_resource_version(snapshot, nullptr), nullptr, 10);
    const std::uint64_t untouched = (ksr_snapshot_count(snapshot) - changing) * listed;
    return version_sum(snapshot) == untouched + changing * version - changing * (changing - 1) / 2;
  }
};

class Blocker {
 public:
  void arm(Host& host, Expected expected) {
    host_ = &host;
    expected_ = expected;
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
      next_right_ = expected_.matches(snapshot);
      next_deltas_ = ksr_snapshot_delta_count(snapshot);
    }
  }

  void add_to(std::uint64_t idle, Report& report) const {
    report.add("events_while_blocked", events_);
    report.add("above_idle_bytes", static_cast<double>(peak_) - static_cast<double>(idle));
    report.add("resident_above_idle_bytes", static_cast<double>(resident_) - static_cast<double>(idle));
    report.add("next_deltas", next_deltas_);
    report.add_json("next_right", next_right_ ? "true" : "false");
  }

 private:
  Host* host_ = nullptr;
  Expected expected_{};
  std::atomic<bool> armed_{false};
  bool next_ = false;
  bool next_right_ = false;
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
  const ServerState listed = setup.control.state();
  blocker.arm(host, {listed.goal, setup.newest > 0 ? setup.newest : listed.objects});
  host.wait_for_version(setup.control.go(setup.events, 0, setup.newest).goal);
  report.add("events", setup.events);
  report.add("idle_bytes", idle);
  blocker.add_to(idle, report);
  report.add("peak_afterwards_bytes", static_cast<double>(peak_bytes()) - static_cast<double>(idle));
  add_correct(setup, host, report);
}

}  // namespace ksr::bench

// From the moment the server writes an event to the moment the host sees it, at 1,000 events a second.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

constexpr const char* kSent = "/metadata/annotations/bench.ksr.test~1sent";

class Delays {
 public:
  explicit Delays(std::size_t expected) { nanoseconds_.reserve(expected); }

  void operator()(const ksr_snapshot* snapshot) {
    if (ksr_snapshot_sequence(snapshot) == 1) return;
    const std::int64_t now = wall_nanoseconds();
    const std::size_t count = ksr_snapshot_delta_count(snapshot);
    for (std::size_t i = 0; i < count; ++i) {
      const ksr_object* object = nullptr;
      ksr_snapshot_delta_at(snapshot, i, &object);
      const char* sent = ksr_object_get(object, kSent, nullptr);
      nanoseconds_.push_back(sent == nullptr ? now : now - std::strtoll(sent + 1, nullptr, 10));
    }
  }

  void add_to(Report& report) {
    std::sort(nanoseconds_.begin(), nanoseconds_.end());
    report.add("delay_p50_us", at(0.5));
    report.add("delay_p90_us", at(0.9));
    report.add("delay_p99_us", at(0.99));
    report.add("delay_p999_us", at(0.999));
    report.add("delay_max_us", at(1));
    std::string some = "[";
    for (int i = 0; i < 200; ++i) some += (i > 0 ? "," : "") + std::to_string(at(i / 199.0));
    report.add_json("delays_us", some + "]");
  }

  std::size_t count() const { return nanoseconds_.size(); }

 private:
  double at(double part) const {
    const auto place = static_cast<std::size_t>(part * static_cast<double>(nanoseconds_.size() - 1));
    return static_cast<double>(nanoseconds_.at(place)) * 1e-3;
  }

  std::vector<std::int64_t> nanoseconds_;
};

}  // namespace

void run_latency(const Setup& setup, Report& report) {
  Delays delays(setup.events);
  Host host(setup.settings, [&](const ksr_snapshot* snapshot) { delays(snapshot); });
  host.wait_for_first();
  setup.control.wait_for_watchers(1);
  sleep_seconds(setup.settle);
  const double cpu = cpu_seconds();
  host.wait_for_version(setup.control.go(setup.events, 1000).goal);
  report.add("events", setup.events);
  report.add("cpu_us_per_event", (cpu_seconds() - cpu) / static_cast<double>(setup.events) * 1e6);
  report.add("deliveries", host.deliveries() - 1);
  report.add("delays", std::uint64_t{delays.count()});
  delays.add_to(report);
  add_correct(setup, host, report);
}

}  // namespace ksr::bench

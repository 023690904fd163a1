// Whether memory grows with events on a constant set of objects: ten rounds, resident bytes after each.
#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {

void run_growth(const Setup& setup, Report& report) {
  constexpr std::uint64_t kRounds = 10;
  Host host(setup.settings);
  host.wait_for_first();
  setup.control.wait_for_watchers(1);
  sleep_seconds(setup.settle);
  const std::uint64_t listed = resident_bytes();
  std::string rounds = "[" + std::to_string(listed);
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  for (std::uint64_t round = 0; round < kRounds; ++round) {
    host.wait_for_version(setup.control.go(setup.events / kRounds).goal);
    sleep_seconds(setup.settle / 2);
    last = resident_bytes();
    if (round == 0) first = last;
    rounds += "," + std::to_string(last);
  }
  report.add("events", setup.events);
  report.add_json("resident_rounds_bytes", rounds + "]");
  report.add("resident_list_bytes", listed);
  report.add("growth_bytes", static_cast<double>(last) - static_cast<double>(first));
  report.add("growth_since_list_bytes", static_cast<double>(last) - static_cast<double>(listed));
  add_correct(setup, host, report);
}

}  // namespace ksr::bench

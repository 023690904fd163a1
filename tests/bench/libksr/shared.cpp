// Ten streams that ask for the same: what they cost beside one.
#include <list>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {

void run_shared(const Setup& setup, Report& report) {
  constexpr std::uint64_t kStreams = 10;
  const std::uint64_t start = resident_bytes();
  std::list<Host> hosts;
  hosts.emplace_back(setup.settings);
  hosts.front().wait_for_first();
  setup.control.wait_for_watchers(1);
  hosts.front().wait_for_version(setup.control.go(setup.events / 2).goal);
  sleep_seconds(setup.settle);
  const std::uint64_t one = resident_bytes() - start;
  const double cpu_before = cpu_seconds();
  const double begin = now_seconds();
  while (hosts.size() < kStreams) hosts.emplace_back(setup.settings);
  for (Host& host : hosts) host.wait_for_first();
  report.add("nine_more_seconds", now_seconds() - begin);
  report.add("nine_more_cpu_seconds", cpu_seconds() - cpu_before);
  const std::uint64_t goal = setup.control.go(setup.events - setup.events / 2).goal;
  for (Host& host : hosts) host.wait_for_version(goal);
  sleep_seconds(setup.settle);
  const std::uint64_t all = resident_bytes() - start;
  report.add("streams", kStreams);
  report.add("shared", hosts.front().stat("shared"));
  report.add("lists", hosts.back().stat("lists"));
  report.add("resident_one_bytes", one);
  report.add("resident_all_bytes", all);
  report.add("resident_ratio", static_cast<double>(all) / static_cast<double>(one));
  bool correct = true;
  for (const Host& host : hosts) correct = correct && is_correct(setup, host);
  report.add_json("correct", correct ? "true" : "false");
}

}  // namespace ksr::bench

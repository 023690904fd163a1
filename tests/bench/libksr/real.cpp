// On a real API server: until the first snapshot; then each line of standard input is answered by a line of JSON.
#include <cstdio>
#include <iostream>
#include <stdexcept>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

void say(const Report& report) {
  report.print();
  std::fflush(stdout);
}

Report answer(const std::string& asked, const Host& host, std::uint64_t changes) {
  Report report;
  if (asked == "cpu") {
    report.add("cpu_seconds", cpu_seconds());
    report.add("changes", changes);
  } else if (asked == "memory") {
    report.add("resident_bytes", resident_bytes());
    report.add("peak_bytes", peak_bytes());
    for (const char* name : {"store_bytes", "wire_bytes", "bytes_received", "encoding"})
      report.add(name, host.stat(name));
  } else if (asked == "held") {
    const ksr_snapshot* snapshot = host.latest();
    report.add("objects", std::uint64_t{ksr_snapshot_count(snapshot)});
    report.add("version_sum", version_sum(snapshot));
    ksr_snapshot_release(snapshot);
  } else {
    throw std::runtime_error("cannot answer " + asked);
  }
  return report;
}

}  // namespace

void run_real(const Settings& settings) {
  const double begin = now_seconds();
  const double cpu = cpu_seconds();
  std::atomic<std::uint64_t> changes{0};
  std::uint64_t newest = 0;
  Host host(settings, [&](const ksr_snapshot* snapshot) {
    newest = std::max(newest, read_changes(snapshot));
    changes += ksr_snapshot_delta_count(snapshot);
  });
  host.wait_for_first();
  Report listed;
  listed.add("list_seconds", host.first_update_at() - begin);
  listed.add("list_cpu_seconds", cpu_seconds() - cpu);
  say(listed);
  for (std::string asked; std::getline(std::cin, asked);) say(answer(asked, host, changes));
}

}  // namespace ksr::bench

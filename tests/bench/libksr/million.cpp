// A large cache: what one change costs, and what a snapshot costs that the host holds at the same time.
#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

std::uint64_t limit_of(const Settings& settings) {
  const auto found = settings.find("limit");
  return found == settings.end() ? 0 : std::stoull(found->second);
}

// With `limit` only changes among the newest objects are seen by the host, so only those are made.
struct Changes {
  std::uint64_t count;
  std::uint64_t newest;
};

// One change at a time, so that each is applied, published and delivered separately; processor time of the process.
void measure_changes(const Setup& setup, Host& host, Changes changes, std::uint64_t rate, Report& report) {
  const std::string suffix = rate == 1000 ? "" : "_at_" + std::to_string(rate);
  host.wait_for_version(setup.control.go(rate, rate, changes.newest).goal);
  const std::uint64_t deliveries = host.deliveries();
  const double cpu = cpu_seconds();
  host.wait_for_version(setup.control.go(changes.count, rate, changes.newest).goal);
  const double burnt = cpu_seconds() - cpu;
  report.add(("deliveries" + suffix).c_str(), host.deliveries() - deliveries);
  report.add(("cpu_us_per_change" + suffix).c_str(), burnt / static_cast<double>(changes.count) * 1e6);
}

void measure_held(const Setup& setup, Host& host, std::uint64_t newest, Report& report) {
  const ksr_snapshot* held = host.latest();
  const std::uint64_t sum = version_sum(held);
  const std::uint64_t before = resident_bytes();
  const double cpu = cpu_seconds();
  host.wait_for_version(setup.control.go(setup.events, 0, newest).goal);
  report.add("held_cpu_us_per_change", (cpu_seconds() - cpu) / static_cast<double>(setup.events) * 1e6);
  sleep_seconds(setup.settle);
  report.add("held_bytes", static_cast<double>(resident_bytes()) - static_cast<double>(before));
  report.add_json("held_unchanged", version_sum(held) == sum ? "true" : "false");
  ksr_snapshot_release(held);
}

}  // namespace

void run_million(const Setup& setup, Report& report) {
  const double begin = now_seconds();
  Host host(setup.settings);
  host.wait_for_first();
  report.add("list_seconds", host.first_update_at() - begin);
  setup.control.wait_for_watchers(1);
  sleep_seconds(setup.settle);
  report.add("objects", host.stat("objects"));
  report.add("store_bytes", host.stat("store_bytes"));
  report.add("resident_list_bytes", resident_bytes());
  const std::uint64_t limit = limit_of(setup.settings);
  report.add("events", setup.events);
  measure_changes(setup, host, {setup.events, limit}, 1000, report);
  measure_changes(setup, host, {setup.events, limit}, 10000, report);
  measure_held(setup, host, limit, report);
  if (limit == 0) add_correct(setup, host, report);
  if (limit > 0) report.add_json("correct", limited_is_newest(host, limit) ? "true" : "false");
}

}  // namespace ksr::bench

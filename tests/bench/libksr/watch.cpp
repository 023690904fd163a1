// A list, then events as fast as they arrive.
#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {
namespace {

struct Reader {
  std::uint64_t changes = 0;
  std::uint64_t newest = 0;

  void operator()(const ksr_snapshot* snapshot) {
    newest = std::max(newest, read_changes(snapshot));
    changes += ksr_snapshot_delta_count(snapshot);
  }
};

struct Listed {
  double begin = now_seconds();
  double cpu = cpu_seconds();
};

// Else what changes only in fields that are cut, or in no column, wakes no host.
bool all_is_delivered(const Settings& settings) {
  return settings.count("keep_fields") + settings.count("drop_fields") + settings.count("notify") == 0;
}

void add_list(const Setup& setup, const Host& host, const Listed& before, Report& report) {
  report.add("list_seconds", host.first_update_at() - before.begin);
  report.add("list_cpu_seconds", cpu_seconds() - before.cpu);
  setup.control.wait_for_watchers(1);
  sleep_seconds(setup.settle);
  report.add("peak_list_bytes", peak_bytes());
  report.add("resident_list_bytes", resident_bytes());
  report.add("store_bytes", host.stat("store_bytes"));
  report.add("objects", host.stat("objects"));
}

}  // namespace

bool is_correct(const Setup& setup, const Host& host) {
  const ServerState expected = setup.control.state();
  const ksr_snapshot* snapshot = host.latest();
  const bool complete =
      version_sum(snapshot) == expected.version_sum && ksr_snapshot_count(snapshot) == expected.objects;
  ksr_snapshot_release(snapshot);
  return complete && host.errors() == 0;
}

void add_correct(const Setup& setup, const Host& host, Report& report) {
  report.add_json("correct", is_correct(setup, host) ? "true" : "false");
}

bool limited_is_newest(const Host& host, std::uint64_t limit) {
  const ksr_snapshot* snapshot = host.latest();
  const std::uint64_t version = std::stoull(ksr_snapshot_resource_version(snapshot, nullptr));
  const bool newest = version_sum(snapshot) == limit * version - limit * (limit - 1) / 2;
  const bool complete = ksr_snapshot_count(snapshot) == limit;
  ksr_snapshot_release(snapshot);
  return newest && complete && host.errors() == 0;
}

void run_watch(const Setup& setup, Report& report) {
  Reader reader;
  const std::uint64_t idle = resident_bytes();
  const Listed before;
  Host host(setup.settings, [&](const ksr_snapshot* snapshot) { reader(snapshot); });
  host.wait_for_first();
  report.add("resident_start_bytes", idle);
  add_list(setup, host, before, report);

  reset_peak();
  const std::uint64_t deliveries = host.deliveries();
  const double cpu = cpu_seconds();
  const double begin = now_seconds();
  const std::uint64_t seen = host.stat("events");
  const ServerState asked = setup.control.go(setup.events);
  if (all_is_delivered(setup.settings)) {
    host.wait_for_version(asked.goal);
  } else {
    while (host.stat("events") < seen + setup.events) sleep_seconds(0.001);
  }
  const double took = now_seconds() - begin;
  const double burnt = cpu_seconds() - cpu;
  const double events = static_cast<double>(setup.events);
  report.add("events", setup.events);
  report.add("events_per_second", events / took);
  report.add("cpu_us_per_event", burnt / events * 1e6);
  report.add("deliveries", host.deliveries() - deliveries);
  report.add("peak_watch_bytes", peak_bytes());
  sleep_seconds(setup.settle);
  report.add("resident_watch_bytes", resident_bytes());
  add_correct(setup, host, report);
}

}  // namespace ksr::bench

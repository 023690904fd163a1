// One object of all, retained after its stream: what stays resident once everything else is freed.
#include <malloc.h>

#include "cases.hpp"
#include "process.hpp"

namespace ksr::bench {

void run_keep(const Setup& setup, Report& report) {
  const std::uint64_t start = resident_bytes();
  const ksr_object* kept = nullptr;
  {
    Host host(setup.settings);
    host.wait_for_first();
    setup.control.wait_for_watchers(1);
    const ksr_snapshot* snapshot = host.latest();
    kept = ksr_object_retain(ksr_snapshot_at(snapshot, ksr_snapshot_count(snapshot) / 2));
    ksr_snapshot_release(snapshot);
    const std::uint64_t version = version_of(kept);
    host.wait_for_version(setup.control.go(setup.events).goal);
    report.add("resident_full_bytes", resident_bytes());
    report.add_json("kept_unchanged", version_of(kept) == version ? "true" : "false");
    add_correct(setup, host, report);
  }
  sleep_seconds(setup.settle);
  report.add("resident_untrimmed_bytes", static_cast<double>(resident_bytes()) - static_cast<double>(start));
  malloc_trim(0);
  report.add("resident_kept_bytes", static_cast<double>(resident_bytes()) - static_cast<double>(start));
  std::size_t length = 0;
  ksr_object_field(kept, KSR_FIELD_JSON, &length);
  report.add("object_bytes", std::uint64_t{length});
  ksr_object_release(kept);
}

}  // namespace ksr::bench

// How fast and how small the store is: a list of many objects, then one change after another, each applied, cut and
// compared, with and without a limit, with and without indexes. Usage: bench_store [OBJECTS [BYTES_PER_OBJECT]]
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "store/cache.hpp"

namespace {

using ksr::json::EventType;
using ksr::json::Item;
using ksr::store::Cache;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  double size = 0;
  double resident = 0;
  statm >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double peak_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

constexpr std::size_t kNodes = 1000;

// One pod after another, each made in the same buffers.
class Pods {
 public:
  Pods(std::size_t bytes, bool with_columns) : body_(bytes + 512, 'x'), bytes_(bytes), with_columns_(with_columns) {}

  // `spread` varies the size, as changing objects do.
  Item pod(std::size_t n, std::size_t version, std::size_t spread = 0) {
    std::snprintf(uid_, sizeof uid_, "%08zx-8a4c-4e5f-9b21-%012zx", n * 2654435761u % 0xffffffffu, n);
    std::snprintf(name_, sizeof name_, "deployment-%05zu-7d9c6b5f4-%06zu", n / 50, n);
    std::snprintf(name_space_, sizeof name_space_, "team-%03zu", n / 2000);
    std::snprintf(version_, sizeof version_, "%zu", version);
    std::snprintf(created_, sizeof created_, "2024-%02zu-%02zuT%02zu:%02zu:%02zuZ", n % 12 + 1, n / 7 % 28 + 1,
                  n / 3 % 24, n / 11 % 60, n % 60);
    Item item;
    item.text[0] = std::string_view(body_).substr(0, bytes_ + spread);
    item.uid = uid_;
    item.name = name_;
    item.name_space = name_space_;
    item.resource_version = version_;
    item.kind = "Pod";
    item.api_version = "v1";
    item.creation_timestamp = created_;
    item.recency = created_;
    if (with_columns_) item.columns = columns(n, spread);
    return item;
  }

 private:
  // As FieldFilter makes them of a pod's node and phase, both indexed; the phase is another one at times.
  const ksr::json::ItemColumns* columns(std::size_t n, std::size_t spread) {
    const int size = std::snprintf(node_, sizeof node_, "node-%04zu", n % kNodes);
    columns_.texts = {std::string_view(node_, static_cast<std::size_t>(size)),
                      spread % 16 == 1 ? "Pending" : "Running"};
    columns_.values.clear();
    for (std::uint32_t i = 0; i < 2; ++i) {
      columns_.values.push_back({i, 0, static_cast<std::uint32_t>(columns_.texts[i].size())});
    }
    columns_.value_ends = {1, 2};
    return &columns_;
  }

  std::string body_;
  std::size_t bytes_;
  bool with_columns_;
  ksr::json::ItemColumns columns_;
  char node_[32];
  char uid_[64], name_[64], name_space_[32], version_[32], created_[64];
};

struct Bench {
  std::size_t objects;
  std::size_t bytes;
  std::size_t limit;
  bool indexes;
  Pods pods{bytes, indexes};
  Cache cache{limit, 1, indexes ? std::vector<std::size_t>{0, 1} : std::vector<std::size_t>{}};
  std::size_t version = objects;
  std::mt19937_64 random{1};

  template <class Work>
  static double timed(const Work& work) {
    const double begin = cpu_seconds();
    work();
    return cpu_seconds() - begin;
  }

  void list() {
    cache.begin_list();
    const double staged = timed([&] {
      for (std::size_t n = 0; n < objects; ++n) cache.stage(pods.pod(n, n + 1));
    });
    const double committed = timed([&] { cache.commit_list(std::to_string(version)); });
    std::printf("  list        staged %.1f ms, committed %.1f ms\n", staged * 1e3, committed * 1e3);
  }

  void relist() {
    ksr::store::View held = cache.cut().view;
    cache.begin_list();
    const double staged = timed([&] {
      for (std::size_t n = 0; n < objects; ++n) cache.stage(pods.pod(n, n + 1));
    });
    const double committed = timed([&] { cache.commit_list(std::to_string(++version)); });
    std::printf("  same again  staged %.1f ms, committed %.1f ms\n", staged * 1e3, committed * 1e3);
  }

  void memory(double before) {
    const double resident = resident_bytes() - before;
    const double stored = static_cast<double>(cache.stored_bytes());
    std::printf("  memory      %.1f MB stored, resident %.3f x that; %.1f further bytes per object\n", stored / 1e6,
                resident / stored, (resident - stored) / static_cast<double>(objects));
  }

  // The host holds `views_held` of the last views, and always the first one.
  void changes(const char* what, std::size_t count, std::size_t views_held, bool each_cut) {
    std::vector<ksr::store::View> held(views_held + 1);
    held.back() = cache.cut().view;
    std::size_t deltas = 0;
    const double seconds = timed([&] {
      for (std::size_t i = 0; i < count; ++i) {
        cache.apply(EventType::modified, pods.pod(random() % objects, ++version, random() % 256));
        if (!each_cut || !cache.changed()) continue;
        ksr::store::Cut cut = cache.cut();
        deltas += ksr::store::Deltas(cut.changes, cut.view).count();
        if (views_held != 0) held[i % views_held] = std::move(cut.view);
      }
    });
    std::printf("  %-40s %.2f us each (%zu deltas)\n", what, seconds * 1e6 / static_cast<double>(count), deltas);
  }

  void making_of_items(std::size_t count) {
    std::size_t sum = 0;
    const double seconds = timed([&] {
      for (std::size_t i = 0; i < count; ++i)
        sum += pods.pod(random() % objects, ++version, random() % 256).text_size();
    });
    std::printf("  %-40s %.2f us each (%zu)\n", "making the item, contained in the above",
                seconds * 1e6 / static_cast<double>(count), sum % 10);
  }

  // All pods of one node after another: counted, found, and looked at.
  void lookups(std::size_t count) {
    const ksr::store::View view = cache.cut().view;
    std::size_t found = 0;
    std::size_t sum = 0;
    const auto each_node = [&](const auto& use) {
      const double seconds = timed([&] {
        for (std::size_t i = 0; i < count; ++i) {
          char node[32];
          std::snprintf(node, sizeof node, "node-%04zu", random() % kNodes);
          use(node, view.index_count(0, node));
        }
      });
      return seconds * 1e6 / static_cast<double>(count);
    };
    const double counted = each_node([&](const char*, std::size_t pods_there) { sum += pods_there; });
    const double all_found = each_node([&](const char* node, std::size_t pods_there) {
      for (std::size_t at = 0; at < pods_there; ++at) sum += view.index_at(0, node, at) != nullptr ? 1 : 0;
      found += pods_there;
    });
    const double all_read = each_node([&](const char* node, std::size_t pods_there) {
      for (std::size_t at = 0; at < pods_there; ++at) sum += view.index_at(0, node, at)->name().size();
    });
    std::printf("  %-40s %.2f us, each of its %.0f pods found: %.2f us, and read: %.2f us (%zu)\n",
                "how many pods a node has", counted, static_cast<double>(found) / static_cast<double>(count), all_found,
                all_read, sum % 10);
  }

  // A set that stays as large as it is, changed over and over.
  void churn(std::size_t events) {
    const double before = resident_bytes();
    for (std::size_t part = 0; part < 4; ++part) {
      for (std::size_t i = 0; i < events / 4; ++i) {
        const std::size_t n = random() % objects;
        if (i % 10 == 0) cache.apply(EventType::deleted, pods.pod(n, ++version));
        cache.apply(EventType::modified, pods.pod(n, ++version, random() % 256));
        if (i % 500 == 0) cache.cut();
      }
      std::printf("  churn       after %zu events resident %+.1f MB, stored %.1f MB\n", (part + 1) * (events / 4),
                  (resident_bytes() - before) / 1e6, static_cast<double>(cache.stored_bytes()) / 1e6);
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t objects = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1000000;
  const std::size_t bytes = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2900;
  for (const bool indexes : {false, true}) {
    for (const std::size_t limit : {std::size_t{0}, std::size_t{1000}}) {
      malloc_trim(0);
      const double before = resident_bytes();
      std::printf("%zu objects of %zu bytes, limit %zu, %s\n", objects, bytes, limit,
                  indexes ? "2 indexes" : "no indexes");
      Bench bench{objects, bytes, limit, indexes};
      bench.list();
      bench.memory(before);
      std::printf("  peak        %.1f MB, settled %.1f MB\n", peak_bytes() / 1e6, resident_bytes() / 1e6);
      bench.relist();
      bench.changes("apply only", 200000, 0, false);
      bench.changes("apply, cut, deltas", 200000, 0, true);
      bench.changes("apply, cut, deltas, 10 views held", 200000, 10, true);
      bench.making_of_items(200000);
      if (indexes) bench.lookups(20000);
      bench.churn(std::min<std::size_t>(2000000, 4 * objects));
    }
  }
}

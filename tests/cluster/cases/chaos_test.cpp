// All faults together for a minute: writes, a proxy that resets, stalls and blackholes connections, compactions, and an
// apiserver that is killed. Afterwards every view equals the apiserver's list.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <random>
#include <thread>

#include "base/resource_version.hpp"
#include "cluster/cases/stream_on_cluster.hpp"
#include "cluster/harness/chaos_proxy.hpp"
#include "cluster/harness/harness_error.hpp"
#include "support/wait_limit.hpp"

using namespace ksr::clustertest;
using ksr::testing::Contents;
using ksr::testing::Recorder;
using ksr::testing::Settings;
using std::chrono::seconds;
using std::chrono::steady_clock;

namespace {

constexpr seconds kDuration{60};
constexpr std::size_t kLimit = 20;

// A time one second later in each round.
std::string time_of(int round) {
  char text[32];
  std::snprintf(text, sizeof text, "2026-01-01T%02d:%02d:%02dZ", round / 3600 % 24, round / 60 % 60, round % 60);
  return text;
}

// Creates, changes and deletes at random until `stop` is set, also while the server is down.
void write_load(const std::string& ns, unsigned seed, const std::atomic<bool>& stop) {
  ApiClient api = Cluster::shared().client_for(admin_user());
  std::mt19937 engine(seed);
  for (int round = 0; !stop; ++round) {
    const std::string name = "object-" + std::to_string(engine() % 60);
    const std::string time = time_of(round);
    try {
      switch (engine() % 4) {
        case 0:
          api.create(pods_path(ns), make_pod(ns, name));
          break;
        case 1:
          api.patch_status(pods_path(ns, name), {{"message", time}});
          break;
        case 2:
          api.erase(engine() % 2 == 0 ? pods_path(ns, name) : events_path(ns, name));
          break;
        default:
          api.create(events_path(ns), make_event(ns, name, time));
      }
    } catch (const HarnessError&) {
      // Not found, already exists, or no server: the next one may succeed.
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void disturb(Cluster& cluster, ChaosProxy& proxy) {
  std::mt19937 engine(20'261'124);
  const auto end = steady_clock::now() + kDuration;
  for (int round = 0; steady_clock::now() < end; ++round) {
    const bool last_third = end - steady_clock::now() < kDuration / 3;
    switch (round % 6) {
      case 0:
        proxy.cut();
        break;
      case 1:
        proxy.stall();
        break;
      case 2:
        cluster.etcd().compact();
        break;
      case 3:
        if (!last_third) proxy.blackhole();
        break;
      case 4:
        cluster.kill_apiserver();
        cluster.start_apiserver();
        break;
      default:
        proxy.cut_after(engine() % 20'000);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(500 + engine() % 1'500));
    proxy.pass();
    std::this_thread::sleep_for(std::chrono::milliseconds(engine() % 1'000));
  }
}

std::string recency_of(const boost::json::object& object) {
  const auto* last = object.if_contains("lastTimestamp");
  if (last != nullptr && last->is_string()) return last->get_string().c_str();
  return metadata_of(object, "creationTimestamp");
}

// What a stream with the limit must show: the most recent objects; at equal times those with the higher version.
Contents most_recent(const std::string& path) {
  std::vector<boost::json::object> objects = Cluster::shared().admin().list(path);
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) {
    const std::string left = recency_of(a);
    const std::string right = recency_of(b);
    if (left != right) return left > right;
    return ksr::compare_resource_versions(metadata_of(a, "resourceVersion"), metadata_of(b, "resourceVersion")) > 0;
  });
  Contents contents;
  for (std::size_t i = 0; i < std::min(kLimit, objects.size()); ++i) {
    contents[metadata_of(objects[i], "uid")] = metadata_of(objects[i], "resourceVersion");
  }
  return contents;
}

struct Subject {
  const char* resource;
  const char* transport;
  bool limited;
  std::unique_ptr<Recorder> seen = std::make_unique<Recorder>();
};

}  // namespace

TEST_CASE("after a minute of faults four streams show what the apiserver lists") {
  Cluster& cluster = Cluster::shared();
  const std::string ns = cluster.fresh_namespace("chaos");
  ChaosProxy proxy(cluster.port());
  Subject subjects[] = {{"v1/pods", "websocket", false},
                        {"v1/pods", "http", true},
                        {"v1/events", "http", false},
                        {"v1/events", "websocket", true}};
  for (Subject& subject : subjects) {
    Settings settings = on_cluster(subject.resource, ns, subject.transport);
    settings[0].second = "https://127.0.0.1:" + std::to_string(proxy.port());
    settings = with(with(settings, "backoff_initial", "100ms"), "backoff_max", "1s");
    // A blackholed watch is detected when it does not end at its timeout: short watches detect it sooner.
    settings = with(with(settings, "watch_timeout", "8s"), "request_timeout", "4s");
    settings = with(with(settings, "connect_timeout", "4s"), "page_size", "17");
    if (subject.limited) settings = with(settings, "limit", std::to_string(kLimit));
    REQUIRE(subject.seen->open(settings) == KSR_OK);
  }
  std::atomic<bool> stop{false};
  std::thread writers[] = {std::thread(write_load, ns, 1u, std::cref(stop)),
                           std::thread(write_load, ns, 2u, std::cref(stop))};
  disturb(cluster, proxy);
  stop = true;
  for (std::thread& writer : writers) writer.join();
  proxy.pass();

  const auto deadline = steady_clock::now() + ksr::testing::kWaitLimit;
  for (Subject& subject : subjects) {
    CAPTURE(subject.resource);
    CAPTURE(subject.limited);
    const bool pods = std::string(subject.resource) == "v1/pods";
    const std::string path = pods ? pods_path(ns) : events_path(ns);
    const Contents expected = subject.limited ? most_recent(path) : listed(path);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    subject.seen->wait([&](const Recorder& now) { return now.contents() == expected; }, left);
    CHECK(subject.seen->contents() == expected);
    CHECK(subject.seen->violations() == std::vector<std::string>{});
    CHECK(subject.seen->stat("watches") > 1);
    CHECK_FALSE(expected.empty());
    MESSAGE(subject.resource << " over " << subject.transport << ": " << subject.seen->updates() << " updates, "
                             << subject.seen->stat("watches") << " watches, " << subject.seen->stat("relists")
                             << " relists, " << subject.seen->errors().size() << " errors");
  }
}

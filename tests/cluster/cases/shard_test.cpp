// shard: four streams divide what a real kube-apiserver has, with the feature gate ShardedListAndWatch on, off, and
// switched while they run.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cluster/cases/stream_on_cluster.hpp"

using namespace ksr::clustertest;
using ksr::testing::Contents;
using ksr::testing::Recorder;
using ksr::testing::Settings;

namespace {

constexpr int kShards = 4;

struct Shards {
  std::vector<std::unique_ptr<Recorder>> streams;

  void open(Cluster& cluster, const std::string& resource, const std::string& ns, const Settings& more) {
    for (int part = 0; part < kShards; ++part) {
      Settings settings{{"server", cluster.url()},
                        {"ca_file", cluster.ca_file()},
                        {"token", admin_user().token},
                        {"resource", resource},
                        {"namespace", ns},
                        {"shard", std::to_string(part) + "/" + std::to_string(kShards)},
                        {"backoff_initial", "100ms"},
                        {"backoff_max", "500ms"}};
      settings.insert(settings.end(), more.begin(), more.end());
      streams.push_back(std::make_unique<Recorder>());
      REQUIRE(streams.back()->open(settings) == KSR_OK);
    }
    for (const auto& stream : streams) REQUIRE(stream->wait_state(KSR_STATE_LIVE));
  }

  // Every object of the collection is in one view, in the version that the API server has, and in no other.
  void check_divide(Cluster& cluster, const std::string& path) const {
    Contents expected;
    for (const auto& object : cluster.admin().list(path)) {
      expected[metadata_of(object, "uid")] = metadata_of(object, "resourceVersion");
    }
    Contents whole;
    std::size_t sum = 0;
    streams.front()->wait([&](const Recorder&) {
      whole.clear();
      sum = 0;
      for (const auto& stream : streams) {
        const Contents part = stream->contents();
        sum += part.size();
        whole.insert(part.begin(), part.end());
      }
      return whole == expected && sum == expected.size();
    });
    CHECK(whole == expected);
    CHECK(sum == expected.size());
    for (const auto& stream : streams) {
      CHECK(stream->violations() == std::vector<std::string>{});
      CHECK(stream->count() < expected.size() / 2);
    }
  }

  bool all_by_server(std::uint64_t by_server) const {
    return streams.front()->wait([&](const Recorder&) {
      for (const auto& stream : streams) {
        if (stream->stat("shard_by_server") != by_server) return false;
      }
      return true;
    });
  }
};

// Creates, updates and deletes.
void churn(Cluster& cluster, const std::string& ns, const std::string& prefix) {
  for (int i = 0; i < 24; ++i) {
    const std::string name = prefix + "-" + std::to_string(i);
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, name));
    if (i % 3 == 0) cluster.admin().patch(configmaps_path(ns, name), {{"data", {{"k", "2"}}}});
    if (i % 4 == 0) cluster.admin().erase(configmaps_path(ns, name));
  }
}

}  // namespace

TEST_CASE("four shards are the whole, with the gate on, off, and on again") {
  ClusterOptions options;
  options.apiserver_flags.push_back("--feature-gates=ShardedListAndWatch=true");
  Cluster cluster(options);
  const std::string ns = cluster.fresh_namespace("shards");
  for (int i = 0; i < 80; ++i) {
    const std::string name = "old-" + std::to_string(i);
    cluster.admin().create(configmaps_path(ns), make_configmap(ns, name));
  }
  std::vector<Shards> sets(4);
  sets[0].open(cluster, "v1/configmaps", ns, {{"transport", "websocket"}, {"encoding", "json"}});
  sets[1].open(cluster, "v1/configmaps", ns, {{"transport", "http"}, {"encoding", "protobuf"}});
  sets[2].open(cluster, "v1/configmaps", ns, {{"transport", "http"}, {"initial", "watchlist"}});
  sets[3].open(cluster, "v1/configmaps", ns, {{"transport", "http"}, {"page_size", "7"}, {"metadata_only", "true"}});
  const auto check_all = [&] {
    for (const Shards& set : sets) set.check_divide(cluster, configmaps_path(ns));
  };
  check_all();
  for (const int listing : {0, 1}) CHECK(sets[static_cast<std::size_t>(listing)].all_by_server(1));
  churn(cluster, ns, "begin");
  check_all();
  int round = 0;
  for (const bool gate : {false, true}) {
    // What they saw last is gone from the history when it is there again: those that wait longest list.
    churn(cluster, ns, "before-" + std::to_string(++round));
    cluster.kill_apiserver();
    cluster.add_apiserver_flag(std::string("--feature-gates=ShardedListAndWatch=") + (gate ? "true" : "false"));
    cluster.etcd().compact();
    cluster.start_apiserver();
    churn(cluster, ns, "after-" + std::to_string(round));
    check_all();
  }
  // New ones list from the server that divides.
  Shards fresh;
  fresh.open(cluster, "v1/configmaps", ns, {{"encoding", "protobuf"}});
  fresh.check_divide(cluster, configmaps_path(ns));
  CHECK(fresh.all_by_server(1));
  Shards paged;
  paged.open(cluster, "v1/configmaps", ns, {{"encoding", "json"}, {"page_size", "7"}});
  paged.check_divide(cluster, configmaps_path(ns));
  CHECK(paged.all_by_server(1));
  churn(cluster, ns, "end");
  check_all();
  fresh.check_divide(cluster, configmaps_path(ns));
  paged.check_divide(cluster, configmaps_path(ns));
}

// `PodChurn` creates, changes and deletes pods at random, as on a busy cluster; used by ksr-cluster.
// Lives on any one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>

#include "cluster/harness/api_client.hpp"

namespace ksr::clustertest {

class PodChurn {
 public:
  // Creates `count` pods in the namespaces shop and tools, and keeps the number about the same.
  PodChurn(ApiClient& api, std::size_t count);

  // One change: a pod is created, changes its phase, gets another label, or is deleted.
  void step();

 private:
  struct Pod {
    std::string path;
    enum class Phase { pending, running, failing } phase = Phase::pending;
    int restarts = 0;
  };

  std::size_t random_below(std::size_t below);
  void create();
  void advance(Pod& pod);
  void relabel(const Pod& pod);
  void remove_oldest();

  ApiClient& api_;
  std::size_t count_;
  std::deque<Pod> pods_;
  std::mt19937 random_;
  std::uint64_t created_ = 0;
};

}  // namespace ksr::clustertest

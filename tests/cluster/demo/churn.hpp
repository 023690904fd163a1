// Pods that come, start, change and go, as on a busy cluster. Lives on any one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>

#include "cluster/harness/api_client.hpp"

namespace ksr::clustertest {

class LivingPods {
 public:
  // Fills the namespaces shop and tools with `count` pods, and keeps about as many.
  LivingPods(ApiClient& api, std::size_t count);

  // One change: a pod is created, moves on in its life, gets another label, or is deleted.
  void step();

 private:
  struct Pod {
    std::string path;
    enum class Phase { pending, running, failing } phase = Phase::pending;
    int restarts = 0;
  };

  std::size_t any(std::size_t below);
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

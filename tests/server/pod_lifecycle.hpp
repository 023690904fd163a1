// `PodLifecycle` simulates pods: they are created, start, run, crash, complete, are deleted and replaced, at a rate
// that a person can follow; used by Script. Lives on the server's thread.
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/world.hpp"

namespace ksr::testserver {

class PodLifecycle : public std::enable_shared_from_this<PodLifecycle> {
 public:
  // Keeps about `count` pods from now on.
  static void start(World& world, std::size_t count);

 private:
  enum class Stage { pending, creating, running, crashing, completed };
  struct Pod {
    std::string ns;
    std::string name;
    std::string workload;
    std::string node;
    Stage stage = Stage::pending;
    int restarts = 0;
    bool job = false;
  };

  PodLifecycle(World& world, std::size_t count);
  void wait();
  void tick();
  void forget_deleted();
  void add_pod(bool settled);
  void advance(std::size_t i);
  void remove(std::size_t i);
  void show(const Pod& pod);
  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random_() % below); }
  std::string letters(std::size_t count);

  World& world_;
  const ResourceType& type_;
  const std::size_t count_;
  std::mt19937 random_{20240601};
  std::vector<Pod> pods_;
  boost::asio::steady_timer timer_;
};

}  // namespace ksr::testserver

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "store/cache.hpp"
#include "unit/store/sample.hpp"

namespace ksr::store::test {
namespace {

// One thread changes the cache under a mutex, others take views under it, read and destroy them without.
class Crowd {
 public:
  explicit Crowd(std::size_t limit) : cache_(limit) {
    std::vector<Sample> first;
    for (int i = 0; i < kNames; ++i) first.push_back(sample("n" + std::to_string(i), 1));
    list(cache_, first, "1");
    latest_ = cache_.cut();
  }

  void run() {
    std::thread writer([this] { write(); });
    std::array<std::thread, 3> readers;
    for (std::size_t i = 0; i < readers.size(); ++i) readers[i] = std::thread([this, i] { read(i); });
    writer.join();
    for (std::thread& reader : readers) reader.join();
  }

  int wrong() const { return wrong_; }

 private:
  static constexpr int kNames = 500;
  static constexpr int kEvents = 6000;

  void write() {
    std::mt19937 random(3);
    for (int i = 0; i < kEvents; ++i) {
      const Sample made = sample("n" + std::to_string(random() % kNames), static_cast<std::uint64_t>(i) + 2);
      const std::lock_guard<std::mutex> lock(mutex_);
      cache_.apply(random() % 4 == 0 ? json::EventType::deleted : json::EventType::modified, made.item());
      if (i % 3 == 0) latest_ = cache_.cut();
    }
    done_ = true;
  }

  Cut take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return latest_;
  }

  void read(std::size_t seed) {
    std::mt19937 random(static_cast<std::uint32_t>(seed));
    std::array<View, 4> kept;
    while (!done_) {
      Cut cut = take();
      const Deltas deltas(cut.changes, cut.view);
      for (std::size_t i = 0; i < deltas.count(); ++i) {
        if (deltas.at(i).object->name().empty()) ++wrong_;
      }
      check(cut.view);
      check(kept[random() % kept.size()]);
      kept[random() % kept.size()] = std::move(cut.view);
    }
  }

  void check(const View& view) {
    for (std::size_t i = 0; i < view.count(); ++i) {
      const ObjectRef object(view.at(i));
      if (view.find(object->name_space(), object->name()) != object.get()) ++wrong_;
      if (view.find_uid(object->uid()) != object.get()) ++wrong_;
    }
  }

  std::mutex mutex_;
  Cache cache_;
  Cut latest_;
  std::atomic<bool> done_{false};
  std::atomic<int> wrong_{0};
};

TEST_CASE("views are read and destroyed on any thread while the cache changes") {
  for (const std::size_t limit : {0u, 50u}) {
    Crowd crowd(limit);
    crowd.run();
    CHECK(crowd.wrong() == 0);
  }
}

TEST_CASE("values are looked up in any order, and on several threads at once") {
  constexpr std::size_t kNodes = 7;
  constexpr std::size_t kPods = 900;
  Cache cache(0, 1, {0, 1});
  std::vector<Sample> pods;
  std::vector<std::vector<std::string>> on(kNodes);
  for (std::size_t i = 0; i < kPods; ++i) {
    const std::string name = "p" + std::to_string(1000 + i);
    const std::size_t node = i * i % kNodes;
    Sample pod = sample(name, i + 1);
    pod.has_columns = true;
    pod.node = "n" + std::to_string(node);
    pod.tags = {"x"};
    pods.push_back(pod);
    on[node].push_back(name);
  }
  list(cache, pods, "1000");
  const View view = cache.cut().view;
  const View other = cache.cut().view;
  const auto count_wrong = [&](std::uint32_t seed) {
    std::mt19937 random(seed);
    std::size_t wrong = 0;
    for (int round = 0; round < 4000; ++round) {
      const View& looked_at = random() % 4 == 0 ? other : view;
      const std::size_t node = random() % (kNodes + 1);
      const std::string value = "n" + std::to_string(node);
      const std::size_t there = node < kNodes ? on[node].size() : 0;
      if (looked_at.index_count(0, value) != there) ++wrong;
      if (looked_at.index_at(0, value, there) != nullptr) ++wrong;
      if (random() % 3 == 0 && looked_at.index_at(1, "x", kPods - 1) != looked_at.at(kPods - 1)) ++wrong;
      if (there == 0) continue;
      const std::size_t first = random() % there;
      for (std::size_t i = first; i < std::min(there, first + random() % 120); ++i) {
        const Object* const found = looked_at.index_at(0, value, i);
        if (found == nullptr || found->name() != on[node][i]) ++wrong;
      }
    }
    return wrong;
  };
  CHECK(count_wrong(1) == 0);
  std::atomic<std::size_t> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 3; ++i) threads.emplace_back([&, i] { wrong += count_wrong(i + 2); });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace ksr::store::test

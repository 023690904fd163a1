#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <mutex>
#include <random>
#include <thread>

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

}  // namespace
}  // namespace ksr::store::test

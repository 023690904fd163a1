// `Agenda` is the virtual clock of a simulation: actions in order of time, and of scheduling where the time is the
// same; used by all parts of it. Single-threaded, as the whole simulation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/instant.hpp"

namespace ksr::sync::testing {

class Agenda {
 public:
  Instant now() const { return now_; }
  std::size_t steps() const { return steps_; }

  void at(Instant when, std::function<void()> what) {
    items_.push_back({std::max(when, now_), scheduled_++, std::move(what)});
    std::push_heap(items_.begin(), items_.end(), later);
  }
  void after(Milliseconds delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  // Runs the next action; false: there is none up to `limit`.
  bool step(Instant limit) {
    if (items_.empty() || items_.front().when > limit) {
      now_ = std::max(now_, limit);
      return false;
    }
    std::pop_heap(items_.begin(), items_.end(), later);
    Item item = std::move(items_.back());
    items_.pop_back();
    now_ = item.when;
    ++steps_;
    item.what();
    return true;
  }

 private:
  struct Item {
    Instant when;
    std::uint64_t order;
    std::function<void()> what;
  };
  static bool later(const Item& a, const Item& b) { return a.when != b.when ? a.when > b.when : a.order > b.order; }

  Instant now_{std::chrono::hours(1)};
  std::uint64_t scheduled_ = 0;
  std::size_t steps_ = 0;
  std::vector<Item> items_;
};

}  // namespace ksr::sync::testing

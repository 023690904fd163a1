// `LastLookup` remembers where in an index the objects stand that were looked up last, so that those of one value are
// read one after the other without a search for each; held by View, used by ValueIndexes. Any thread: one at a time has
// it, others look up without it meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <string_view>

#include "store/ordered_set.hpp"
#include "store/orders.hpp"

namespace ksr::store {

class LastLookup {
 public:
  // The entries of one value are number begin to end - 1 of the set. The value is the text of one of their objects.
  struct Run {
    const OrderedSet<ByValue>* set = nullptr;
    std::string_view value;
    std::size_t begin = 0;
    std::size_t end = 0;
    // One that was read last is in these.
    OrderedSet<ByValue>::Entries near = {};
  };

  // While it exists no other thread has the run.
  class Use {
   public:
    explicit Use(LastLookup& last) noexcept
        : last_(last.busy_.test_and_set(std::memory_order_acquire) ? nullptr : &last) {}
    ~Use() {
      if (last_ != nullptr) last_->busy_.clear(std::memory_order_release);
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

    // nullptr: another thread has it.
    Run* run() const noexcept { return last_ != nullptr ? &last_->run_ : nullptr; }

   private:
    LastLookup* const last_;
  };

 private:
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  Run run_;
};

}  // namespace ksr::store

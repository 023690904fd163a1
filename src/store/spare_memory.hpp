// Memory of objects and nodes that are gone, kept for those to come.
//
// What the network thread allocates is freed by whoever drops the last snapshot that shows it. malloc pays for that:
// both threads wait for one lock, and each block is merged with its neighbours only to be cut off again. Here a block
// changes hands without a lock, and the next object of its size takes it as it is.
//
// Any thread. Bounded: kMostWaiting and kMostFiled, the rest goes back to malloc at once.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ksr::store {

class SpareMemory {
 public:
  struct Block {
    void* memory;
    std::size_t capacity;  // as asked for, or a little more
  };

  // Shared by all caches of the process. While none exists it is empty and keeps nothing.
  static SpareMemory& shared() noexcept;

  constexpr SpareMemory() noexcept = default;
  SpareMemory(const SpareMemory&) = delete;
  SpareMemory& operator=(const SpareMemory&) = delete;

  // `most` is the largest capacity that will do. Throws std::bad_alloc.
  Block allocate(std::size_t size, std::size_t most);
  // A block of allocate(), and its capacity.
  void release(void* memory, std::size_t capacity) noexcept;

  // Somebody allocates here.
  class User {
   public:
    explicit User(SpareMemory& memory) noexcept;
    User(const User& other) noexcept : User(other.memory_) {}
    User& operator=(const User&) = delete;
    ~User();

   private:
    SpareMemory& memory_;
  };

 private:
  // Stands in the block itself.
  struct Spare {
    Spare* next;
    std::size_t capacity;
  };

  // 32 bins to each power of two, so that what a bin holds differs by 3 % at most.
  static constexpr unsigned kSmallestPower = 8;
  static constexpr unsigned kLargestPower = 15;
  static constexpr unsigned kBinBits = 5;
  static constexpr std::size_t kSmallest = std::size_t{1} << kSmallestPower;
  static constexpr std::size_t kLargest = (std::size_t{1} << (kLargestPower + 1)) - 1;
  static constexpr std::size_t kBins = (kLargestPower - kSmallestPower + 1) << kBinBits;
  static constexpr std::size_t kMostWaiting = std::size_t{1} << 21;
  static constexpr std::size_t kMostFiled = std::size_t{1} << 21;

  static std::size_t bin_of(std::size_t capacity) noexcept;
  Spare* take(std::size_t size, std::size_t most) noexcept;
  Spare* take_filed(std::size_t size, std::size_t most) noexcept;
  static Spare* take_from(Spare*& bin, std::size_t size, std::size_t most) noexcept;
  void file_waiting() noexcept;
  void file(Spare* spare) noexcept;
  void give_back_filed() noexcept;
  void give_back_all() noexcept;

  std::atomic<std::size_t> users_{0};
  // Released, by any thread; taken all at once, so that no thread can be fooled by a block that comes and goes.
  std::atomic<Spare*> waiting_{nullptr};
  std::atomic<std::size_t> waiting_bytes_{0};

  // Owned by whoever has set `busy_`. Who allocates does not wait for it, who clears up behind the last user does.
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  std::array<Spare*, kBins> bins_{};
  std::size_t filed_bytes_ = 0;
};

}  // namespace ksr::store

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

class BlockRecycler {
 public:
  struct Block {
    void* memory;
    std::size_t capacity;  // as asked for, or a little more
  };

  // Shared by all caches of the process. While none exists it is empty and keeps nothing.
  static BlockRecycler& shared() noexcept;

  constexpr BlockRecycler() noexcept = default;
  BlockRecycler(const BlockRecycler&) = delete;
  BlockRecycler& operator=(const BlockRecycler&) = delete;

  // `most` is the largest capacity that will do. Throws std::bad_alloc.
  Block allocate(std::size_t size, std::size_t max_size);
  // A block of allocate(), and its capacity.
  void release(void* memory, std::size_t capacity) noexcept;

  // Somebody allocates here.
  class Lease {
   public:
    explicit Lease(BlockRecycler& memory) noexcept;
    Lease(const Lease& other) noexcept : Lease(other.memory_) {}
    Lease& operator=(const Lease&) = delete;
    ~Lease();

   private:
    BlockRecycler& memory_;
  };

 private:
  // Stands in the block itself.
  struct FreeBlock {
    FreeBlock* next;
    std::size_t capacity;
  };

  // 32 bins to each power of two, so that what a bin holds differs by 3 % at most.
  static constexpr unsigned kMinPower = 8;
  static constexpr unsigned kMaxPower = 15;
  static constexpr unsigned kBinBits = 5;
  static constexpr std::size_t kMinSize = std::size_t{1} << kMinPower;
  static constexpr std::size_t kMaxSize = (std::size_t{1} << (kMaxPower + 1)) - 1;
  static constexpr std::size_t kBins = (kMaxPower - kMinPower + 1) << kBinBits;
  static constexpr std::size_t kMaxRemoteFreeBytes = std::size_t{1} << 21;
  static constexpr std::size_t kMaxBinnedBytes = std::size_t{1} << 21;

  static std::size_t bin_of(std::size_t capacity) noexcept;
  FreeBlock* take(std::size_t size, std::size_t max_size) noexcept;
  FreeBlock* take_from_bins(std::size_t size, std::size_t max_size) noexcept;
  static FreeBlock* take_from_bin(FreeBlock*& bin, std::size_t size, std::size_t max_size) noexcept;
  void drain_remote_free_list() noexcept;
  void put_in_bin(FreeBlock* block) noexcept;
  void release_bins() noexcept;
  void release_all() noexcept;

  std::atomic<std::size_t> leases_{0};
  // Released, by any thread; taken all at once, so that no thread can be fooled by a block that comes and goes.
  std::atomic<FreeBlock*> remote_free_list_{nullptr};
  std::atomic<std::size_t> remote_free_bytes_{0};

  // Owned by whoever has set `busy_`. Who allocates does not wait for it, who clears up behind the last user does.
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  std::array<FreeBlock*, kBins> bins_{};
  std::size_t binned_bytes_ = 0;
};

}  // namespace ksr::store

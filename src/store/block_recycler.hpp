// `BlockRecycler` keeps the memory of freed objects and nodes for the next ones; used by Object and Node.
//
// What the network thread allocates is freed on the thread that releases the last snapshot showing it. malloc pays for
// that: both threads wait for one lock, and each block is merged with its neighbours only to be split again. Here a
// block is passed back without a lock, and the next object of its size takes it as it is.
//
// Any thread. Bounded by kMaxRemoteFreeBytes and kMaxBinnedBytes, beyond which blocks go back to malloc at once.
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

  // Shared by all caches of the process. While there is no cache it is empty and keeps nothing.
  static BlockRecycler& shared() noexcept;

  constexpr BlockRecycler() noexcept = default;
  BlockRecycler(const BlockRecycler&) = delete;
  BlockRecycler& operator=(const BlockRecycler&) = delete;

  // `max_size` is the largest acceptable capacity. Throws std::bad_alloc.
  Block allocate(std::size_t size, std::size_t max_size);
  // A block of allocate(), and its capacity.
  void release(void* memory, std::size_t capacity) noexcept;

  // Exists as long as its owner allocates here.
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
  // Stored in the block itself.
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
  void sort(unsigned blocks) noexcept;
  void drain_remote_free_list() noexcept;
  void put_in_bin(FreeBlock* block) noexcept;
  void release_bins() noexcept;
  void release_all() noexcept;

  std::atomic<std::size_t> leases_{0};
  // Released, by any thread; taken all at once, which avoids the ABA problem of lock-free lists.
  std::atomic<FreeBlock*> remote_free_list_{nullptr};
  std::atomic<std::size_t> remote_free_bytes_{0};

  // Owned by the thread that has set `busy_`: an allocation does not wait for it, the release of the last lease does.
  std::atomic_flag busy_ = ATOMIC_FLAG_INIT;
  std::array<FreeBlock*, kBins> bins_{};
  std::size_t binned_bytes_ = 0;
  // Taken from the remote list, but not in the bins yet. Each was written last by another core, so that going along the
  // list waits for one after the other; a few with each allocation, the next one is fetched until then.
  FreeBlock* unsorted_ = nullptr;
  std::size_t sorted_bytes_ = 0;  // of that list so far
};

}  // namespace ksr::store

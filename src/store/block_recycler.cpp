#include "store/block_recycler.hpp"

#include <sched.h>

#include <limits>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define KSR_POISON(memory, size) ASAN_POISON_MEMORY_REGION(memory, size)
#define KSR_UNPOISON(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#else
#define KSR_POISON(memory, size) static_cast<void>(0)
#define KSR_UNPOISON(memory, size) static_cast<void>(0)
#endif

namespace ksr::store {
namespace {

// How many blocks of a bin are probed; those after them have been there for longest.
constexpr unsigned kMaxProbes = 4;

BlockRecycler shared_recycler;

}  // namespace

BlockRecycler& BlockRecycler::shared() noexcept {
  return shared_recycler;
}

std::size_t BlockRecycler::bin_of(std::size_t capacity) noexcept {
  const auto power = static_cast<unsigned>(63 - __builtin_clzll(capacity));
  const std::size_t within = (capacity >> (power - kBinBits)) & ((1u << kBinBits) - 1);
  return ((power - kMinPower) << kBinBits) + within;
}

BlockRecycler::Block BlockRecycler::allocate(std::size_t size, std::size_t max_size) {
  if (FreeBlock* block = take(size, max_size)) {
    const std::size_t capacity = block->capacity;
    KSR_POISON(block, capacity);
    KSR_UNPOISON(block, size);
    return {block, capacity};
  }
  return {::operator new(size), size};
}

void BlockRecycler::release(void* memory, std::size_t capacity) noexcept {
  KSR_UNPOISON(memory, capacity);
  const bool kept = capacity >= kMinSize && capacity <= kMaxSize && leases_.load(std::memory_order_relaxed) > 0 &&
                    remote_free_bytes_.load(std::memory_order_relaxed) + capacity <= kMaxRemoteFreeBytes;
  if (!kept) return ::operator delete(memory);
  remote_free_bytes_.fetch_add(capacity, std::memory_order_relaxed);
  auto* const block = new (memory) FreeBlock{remote_free_list_.load(std::memory_order_relaxed), capacity};
  KSR_POISON(block + 1, capacity - sizeof(FreeBlock));
  while (!remote_free_list_.compare_exchange_weak(block->next, block)) {
  }
  // The last lease may have been released just before: one of the two sees the other.
  if (leases_.load() == 0) release_all();
}

BlockRecycler::FreeBlock* BlockRecycler::take(std::size_t size, std::size_t max_size) noexcept {
  if (size < kMinSize || size > kMaxSize || busy_.test_and_set(std::memory_order_acquire)) return nullptr;
  if (unsorted_ != nullptr) {
    sort(1);
  } else if (remote_free_list_.load(std::memory_order_relaxed) != nullptr) {
    unsorted_ = remote_free_list_.exchange(nullptr);
    __builtin_prefetch(unsorted_, 1);
  }
  FreeBlock* block = take_from_bins(size, max_size);
  if (block == nullptr && (unsorted_ != nullptr || remote_free_list_.load(std::memory_order_relaxed) != nullptr)) {
    drain_remote_free_list();
    block = take_from_bins(size, max_size);
  }
  if (block != nullptr) binned_bytes_ -= block->capacity;
  busy_.clear(std::memory_order_release);
  return block;
}

BlockRecycler::FreeBlock* BlockRecycler::take_from_bins(std::size_t size, std::size_t max_size) noexcept {
  const std::size_t last = bin_of(max_size < kMaxSize ? max_size : kMaxSize);
  for (std::size_t bin = bin_of(size); bin <= last; ++bin) {
    if (FreeBlock* block = take_from_bin(bins_[bin], size, max_size)) return block;
  }
  return nullptr;
}

BlockRecycler::FreeBlock* BlockRecycler::take_from_bin(FreeBlock*& bin, std::size_t size,
                                                       std::size_t max_size) noexcept {
  FreeBlock** link = &bin;
  for (unsigned looked = 0; *link != nullptr && looked < kMaxProbes; ++looked, link = &(*link)->next) {
    FreeBlock* const block = *link;
    if (block->capacity < size || block->capacity > max_size) continue;
    *link = block->next;
    return block;
  }
  return nullptr;
}

void BlockRecycler::sort(unsigned blocks) noexcept {
  for (; blocks > 0 && unsorted_ != nullptr; --blocks) {
    FreeBlock* const block = unsorted_;
    unsorted_ = block->next;
    sorted_bytes_ += block->capacity;
    put_in_bin(block);
  }
  if (unsorted_ != nullptr) {
    __builtin_prefetch(unsorted_, 1);
  } else {
    remote_free_bytes_.fetch_sub(std::exchange(sorted_bytes_, 0), std::memory_order_relaxed);
  }
}

void BlockRecycler::drain_remote_free_list() noexcept {
  constexpr unsigned kAll = std::numeric_limits<unsigned>::max();
  sort(kAll);
  unsorted_ = remote_free_list_.exchange(nullptr);
  sort(kAll);
}

// Bins that only fill up are of sizes that are not needed any more.
void BlockRecycler::put_in_bin(FreeBlock* block) noexcept {
  if (binned_bytes_ + block->capacity > kMaxBinnedBytes) release_bins();
  FreeBlock*& bin = bins_[bin_of(block->capacity)];
  block->next = bin;
  bin = block;
  binned_bytes_ += block->capacity;
}

void BlockRecycler::release_bins() noexcept {
  for (FreeBlock*& bin : bins_) {
    while (bin != nullptr) {
      FreeBlock* const block = bin;
      bin = block->next;
      KSR_UNPOISON(block, block->capacity);
      ::operator delete(block);
    }
  }
  binned_bytes_ = 0;
}

void BlockRecycler::release_all() noexcept {
  while (busy_.test_and_set(std::memory_order_acquire)) sched_yield();
  drain_remote_free_list();
  release_bins();
  busy_.clear(std::memory_order_release);
}

BlockRecycler::Lease::Lease(BlockRecycler& memory) noexcept : memory_(memory) {
  memory_.leases_.fetch_add(1);
}

BlockRecycler::Lease::~Lease() {
  if (memory_.leases_.fetch_sub(1) == 1) memory_.release_all();
}

}  // namespace ksr::store

#include "store/spare_memory.hpp"

#include <sched.h>

#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define KSR_HIDE(memory, size) ASAN_POISON_MEMORY_REGION(memory, size)
#define KSR_SHOW(memory, size) ASAN_UNPOISON_MEMORY_REGION(memory, size)
#else
#define KSR_HIDE(memory, size) static_cast<void>(0)
#define KSR_SHOW(memory, size) static_cast<void>(0)
#endif

namespace ksr::store {
namespace {

// How many blocks of a bin are looked at; what lies deeper has been there for longest.
constexpr unsigned kLooks = 4;

SpareMemory the_shared;

}  // namespace

SpareMemory& SpareMemory::shared() noexcept {
  return the_shared;
}

std::size_t SpareMemory::bin_of(std::size_t capacity) noexcept {
  const auto power = static_cast<unsigned>(63 - __builtin_clzll(capacity));
  const std::size_t within = (capacity >> (power - kBinBits)) & ((1u << kBinBits) - 1);
  return ((power - kSmallestPower) << kBinBits) + within;
}

SpareMemory::Block SpareMemory::allocate(std::size_t size, std::size_t most) {
  if (Spare* spare = take(size, most)) {
    const std::size_t capacity = spare->capacity;
    KSR_HIDE(spare, capacity);
    KSR_SHOW(spare, size);
    return {spare, capacity};
  }
  return {::operator new(size), size};
}

void SpareMemory::release(void* memory, std::size_t capacity) noexcept {
  KSR_SHOW(memory, capacity);
  const bool kept = capacity >= kSmallest && capacity <= kLargest && users_.load(std::memory_order_relaxed) > 0 &&
                    waiting_bytes_.load(std::memory_order_relaxed) + capacity <= kMostWaiting;
  if (!kept) return ::operator delete(memory);
  waiting_bytes_.fetch_add(capacity, std::memory_order_relaxed);
  auto* const spare = new (memory) Spare{waiting_.load(std::memory_order_relaxed), capacity};
  KSR_HIDE(spare + 1, capacity - sizeof(Spare));
  while (!waiting_.compare_exchange_weak(spare->next, spare)) {
  }
  // The last user may have cleared up just before: one of the two sees the other.
  if (users_.load() == 0) give_back_all();
}

SpareMemory::Spare* SpareMemory::take(std::size_t size, std::size_t most) noexcept {
  if (size < kSmallest || size > kLargest || busy_.test_and_set(std::memory_order_acquire)) return nullptr;
  Spare* spare = take_filed(size, most);
  if (spare == nullptr && waiting_.load(std::memory_order_relaxed) != nullptr) {
    file_waiting();
    spare = take_filed(size, most);
  }
  if (spare != nullptr) filed_bytes_ -= spare->capacity;
  busy_.clear(std::memory_order_release);
  return spare;
}

SpareMemory::Spare* SpareMemory::take_filed(std::size_t size, std::size_t most) noexcept {
  const std::size_t last = bin_of(most < kLargest ? most : kLargest);
  for (std::size_t bin = bin_of(size); bin <= last; ++bin) {
    if (Spare* spare = take_from(bins_[bin], size, most)) return spare;
  }
  return nullptr;
}

SpareMemory::Spare* SpareMemory::take_from(Spare*& bin, std::size_t size, std::size_t most) noexcept {
  Spare** link = &bin;
  for (unsigned looked = 0; *link != nullptr && looked < kLooks; ++looked, link = &(*link)->next) {
    Spare* const spare = *link;
    if (spare->capacity < size || spare->capacity > most) continue;
    *link = spare->next;
    return spare;
  }
  return nullptr;
}

void SpareMemory::file_waiting() noexcept {
  Spare* waiting = waiting_.exchange(nullptr);
  std::size_t bytes = 0;
  while (waiting != nullptr) {
    Spare* const spare = waiting;
    waiting = spare->next;
    bytes += spare->capacity;
    file(spare);
  }
  waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
}

// What fills up is what nobody asks for: the sizes have changed.
void SpareMemory::file(Spare* spare) noexcept {
  if (filed_bytes_ + spare->capacity > kMostFiled) give_back_filed();
  Spare*& bin = bins_[bin_of(spare->capacity)];
  spare->next = bin;
  bin = spare;
  filed_bytes_ += spare->capacity;
}

void SpareMemory::give_back_filed() noexcept {
  for (Spare*& bin : bins_) {
    while (bin != nullptr) {
      Spare* const spare = bin;
      bin = spare->next;
      KSR_SHOW(spare, spare->capacity);
      ::operator delete(spare);
    }
  }
  filed_bytes_ = 0;
}

void SpareMemory::give_back_all() noexcept {
  while (busy_.test_and_set(std::memory_order_acquire)) sched_yield();
  file_waiting();
  give_back_filed();
  busy_.clear(std::memory_order_release);
}

SpareMemory::User::User(SpareMemory& memory) noexcept : memory_(memory) {
  memory_.users_.fetch_add(1);
}

SpareMemory::User::~User() {
  if (memory_.users_.fetch_sub(1) == 1) memory_.give_back_all();
}

}  // namespace ksr::store

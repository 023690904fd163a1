// A task on its way to the network thread. It arrives even while memory is out: what it travels in then comes from a
// reserve. That is for the ends of streams above all, which are posted by destructors and have nobody to tell that
// they failed.
#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <utility>

namespace ksr::transport {

// NULL when the reserve is used up, or for more than it has in one piece.
void* take_from_reserve(std::size_t size) noexcept;
// False: it is not of the reserve.
bool give_back_to_reserve(void* memory) noexcept;

template <class T>
struct ReserveAllocator {
  using value_type = T;

  ReserveAllocator() noexcept = default;
  template <class Other>
  ReserveAllocator(const ReserveAllocator<Other>&) noexcept {}

  T* allocate(std::size_t count) {
    if (void* const memory = ::operator new(count * sizeof(T), std::nothrow)) return static_cast<T*>(memory);
    if (void* const memory = take_from_reserve(count * sizeof(T))) return static_cast<T*>(memory);
    throw std::bad_alloc();
  }
  void deallocate(T* memory, std::size_t) noexcept {
    if (!give_back_to_reserve(memory)) ::operator delete(memory);
  }

  template <class Other>
  bool operator==(const ReserveAllocator<Other>&) const noexcept {
    return true;
  }
  template <class Other>
  bool operator!=(const ReserveAllocator<Other>&) const noexcept {
    return false;
  }
};

struct PostedTask {
  using allocator_type = ReserveAllocator<char>;
  allocator_type get_allocator() const noexcept { return {}; }
  void operator()() { task(); }

  std::function<void()> task;
};

}  // namespace ksr::transport

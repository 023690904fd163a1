// `PostedTask` is a task on its way to the network thread; used by NetworkThread::post. It can be posted without
// memory: the operation that carries it then comes from a reserve. Destructors, which end streams, post tasks and
// cannot report a failure. Any thread.
#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <utility>

namespace ksr::transport {

// NULL when the reserve is used up, or when `size` is larger than its pieces.
void* take_from_reserve(std::size_t size) noexcept;
// False: not from the reserve.
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

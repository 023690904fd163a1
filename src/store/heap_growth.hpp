// Lets the heap grow in larger steps while a list is stored.
#pragma once

#include <cstddef>
#include <new>

namespace ksr::store {

// glibc grows the heap of every thread but the first page by page, with a system call each (malloc/arena.c, grow_heap):
// for a large list that is a sixth of its time. A block that is freed at once leaves its room behind. Lives with the
// one who allocates.
class HeapGrowth {
 public:
  // Before an allocation of so many bytes, or a few more.
  void make_room_for(std::size_t bytes) noexcept {
    if (bytes <= room_) {
      room_ -= bytes;
    } else if (void* const step = ::operator new(kStep, std::nothrow)) {
      ::operator delete(step);
      room_ = kStep - kStep / 8;
    }
  }

 private:
  // Below what malloc would map, or give back, on its own account (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD: 128 KiB).
  static constexpr std::size_t kStep = 120 * 1024;

  std::size_t room_ = 0;
};

}  // namespace ksr::store

// `HeapGrowth` makes the heap grow in larger steps while a list is stored; used by Cache. Lives on the thread that
// allocates.
#pragma once

#include <cstddef>

namespace ksr::store {

// glibc grows the heap of every thread but the first page by page, with a system call each (malloc/arena.c, grow_heap),
// and the kernel then brings the pages in one fault at a time: for a large list that is a fifth of its time. A block
// that is freed at once leaves the heap grown, with its pages present.
class HeapGrowth {
 public:
  // Before an allocation of so many bytes, or a few more.
  void prepare(std::size_t bytes) noexcept {
    if (bytes > prepared_) return grow();
    prepared_ -= bytes;
  }

 private:
  void grow() noexcept;

  std::size_t prepared_ = 0;
};

}  // namespace ksr::store

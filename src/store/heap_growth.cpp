#include "store/heap_growth.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

// Linux 5.14; not in the headers of Debian 11 and to older kernels, which refuse it.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ksr::store {
namespace {

// Below what malloc would map, or give back, on its own account (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD: 128 KiB).
constexpr std::size_t kStep = 120 * 1024;

// The pages that are entirely inside the block.
void bring_in(void* block) noexcept {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  const std::uintptr_t begin = (address + page - 1) / page * page;
  const std::uintptr_t end = (address + kStep) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
}

}  // namespace

void HeapGrowth::grow() noexcept {
  void* const step = ::operator new(kStep, std::nothrow);
  if (step == nullptr) return;
  bring_in(step);
  ::operator delete(step);
  prepared_ = kStep - kStep / 8;
}

}  // namespace ksr::store

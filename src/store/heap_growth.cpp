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
constexpr std::size_t kStep = std::size_t{120} * 1024;

// The pages that are entirely inside the block.
void bring_in(void* block) noexcept {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(block) % page) % page;
  if (before >= kStep) return;
  madvise(static_cast<char*>(block) + before, (kStep - before) / page * page, MADV_POPULATE_WRITE);
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

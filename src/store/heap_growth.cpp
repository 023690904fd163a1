#include "store/heap_growth.hpp"

#include <new>

#include "base/pages.hpp"

namespace ksr::store {
namespace {

// Below what malloc would map, or give back, on its own account (M_MMAP_THRESHOLD, M_TRIM_THRESHOLD: 128 KiB).
constexpr std::size_t kStep = std::size_t{120} * 1024;

}  // namespace

void HeapGrowth::grow() noexcept {
  void* const step = ::operator new(kStep, std::nothrow);
  if (step == nullptr) return;
  populate_pages(step, kStep);
  ::operator delete(step);
  prepared_ = kStep - kStep / 8;
}

}  // namespace ksr::store

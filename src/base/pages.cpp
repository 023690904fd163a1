#include "base/pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

// Linux 5.14; not in the headers of Debian 11.
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

namespace ksr {
namespace {

void advise(void* block, std::size_t size, int advice) noexcept {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t before = (page - reinterpret_cast<std::uintptr_t>(block) % page) % page;
  if (size < before + page) return;
  const int kept = errno;
  madvise(static_cast<char*>(block) + before, (size - before) / page * page, advice);
  errno = kept;
}

}  // namespace

void populate_pages(void* block, std::size_t size) noexcept {
  advise(block, size, MADV_POPULATE_WRITE);
}

void release_pages(void* block, std::size_t size) noexcept {
  advise(block, size, MADV_DONTNEED);
}

}  // namespace ksr

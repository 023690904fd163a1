// `populate_pages` and `release_pages` tell the kernel which pages of a block will be needed at once, and which hold
// nothing that is needed; used by store::HeapGrowth and the WebSocket. Any thread.
#pragma once

#include <cstddef>

namespace ksr {

// The pages that are entirely inside the block become present, in one system call instead of a fault for each. A hint:
// kernels before Linux 5.14 refuse it.
void populate_pages(void* block, std::size_t size) noexcept;

// The pages that are entirely inside the block become absent, and read as zeros from then on. For memory from the heap
// whose content is not needed: what was there before has left its pages.
void release_pages(void* block, std::size_t size) noexcept;

}  // namespace ksr

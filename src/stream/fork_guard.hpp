// Knows the process that the library's threads live in. A forked child has none of them. Any thread.
#pragma once

namespace ksr::stream {

// This process is where threads start, unless another one is already.
void claim_process() noexcept;
// True in a child forked after claim_process.
bool in_forked_child() noexcept;

}  // namespace ksr::stream

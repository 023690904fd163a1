// `in_forked_child` detects that this process is a fork of the one in which the library's threads run; used by abi/,
// `claim_process` by what opens streams and clients. Any thread.
#pragma once

namespace ksr::stream {

// This process is where threads start, unless another one is already. Before the first of them.
void claim_process() noexcept;
// True in a child forked after claim_process.
bool in_forked_child() noexcept;

}  // namespace ksr::stream

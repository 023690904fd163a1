// `skip_blocks_wide` is skip_blocks for machines with more than every machine of their architecture has, chosen at run
// time: x86-64 with AVX2 (block_skip_avx2.cpp). Used by block_skip.cpp. Any thread.
#pragma once

#include "json/block_skip.hpp"

namespace ksr::json {

bool can_skip_wide() noexcept;
// Call it only where the machine can.
void skip_blocks_wide(SkipPosition& at, const char* end, unsigned max_depth) noexcept;

}  // namespace ksr::json

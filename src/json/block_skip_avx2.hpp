// `skip_blocks_with_avx2` is skip_blocks for CPUs with AVX2, BMI and carry-less multiplication; used by block_skip.cpp.
// Any thread.
#pragma once

#include "json/block_skip.hpp"

namespace ksr::json {

bool can_skip_with_avx2() noexcept;
// Call it only where the machine can.
void skip_blocks_with_avx2(SkipPosition& at, const char* end, unsigned max_depth) noexcept;

}  // namespace ksr::json

// Compiled for AVX2, BMI and carry-less multiplication: nothing of it may run, or be inlined by the linker's choice,
// anywhere else (see block_skip_run.hpp).
#include "json/block_skip_wide.hpp"
#include "json/simd.hpp"

#if defined(KSR_JSON_SIMD) && defined(__AVX2__) && !defined(KSR_JSON_NO_WIDE)

#include "json/block_skip_run.hpp"

namespace ksr::json {

bool can_skip_wide() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("pclmul");
}

void skip_blocks_wide(SkipPosition& at, const char* end, unsigned max_depth) noexcept {
  BlockSkip(at, end, max_depth).run(at);
}

}  // namespace ksr::json

#else

namespace ksr::json {

bool can_skip_wide() noexcept {
  return false;
}

void skip_blocks_wide(SkipPosition&, const char*, unsigned) noexcept {}

}  // namespace ksr::json

#endif

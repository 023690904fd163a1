// Compiled for AVX2: nothing of it may run, or be inlined by the linker's choice, anywhere else (see
// block_skip_run.hpp).
#include "json/block_skip_avx2.hpp"

#if defined(KSR_JSON_SSE2) && defined(__AVX2__) && !defined(KSR_JSON_NO_AVX2)

#include "json/block_skip_run.hpp"

namespace ksr::json {

bool can_skip_with_avx2() noexcept {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("pclmul");
}

void skip_blocks_with_avx2(SkipPosition& at, const char* end, unsigned max_depth) noexcept {
  BlockSkip(at, end, max_depth).run(at);
}

}  // namespace ksr::json

#else

namespace ksr::json {

bool can_skip_with_avx2() noexcept {
  return false;
}

void skip_blocks_with_avx2(SkipPosition&, const char*, unsigned) noexcept {}

}  // namespace ksr::json

#endif

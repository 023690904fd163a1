// simd.hpp for x86-64, where every machine has SSE2; with AVX2 in the files that are compiled for it. Any thread.
#pragma once

#ifdef __SSE2__
#include <cstddef>
#include <cstdint>

#ifdef __AVX2__
#include <immintrin.h>
#define KSR_JSON_ISA avx2
#else
#include <emmintrin.h>
#define KSR_JSON_ISA sse2
#endif
#define KSR_JSON_SIMD 1

namespace ksr::json {
inline namespace KSR_JSON_ISA {

struct ByteVector {
  static constexpr std::ptrdiff_t kSize = 16;
  using Register = __m128i;
  // One bit for each byte.
  using Marks = unsigned;
  static constexpr Marks kAll = 0xffff;

  static Register load(const char* p) noexcept { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
  static Register all(char c) noexcept { return _mm_set1_epi8(c); }
  static Register either(Register a, Register b) noexcept { return _mm_or_si128(a, b); }
  static Register equal(Register a, Register b) noexcept { return _mm_cmpeq_epi8(a, b); }
  // As signed numbers.
  static Register above(Register a, Register b) noexcept { return _mm_cmpgt_epi8(a, b); }
  static Marks marks(Register a) noexcept { return static_cast<unsigned>(_mm_movemask_epi8(a)); }
  static unsigned first(Marks marks) noexcept { return static_cast<unsigned>(__builtin_ctz(marks)); }
};

#ifdef __AVX2__
struct ByteBlock {
  static constexpr unsigned kSize = 32;
  using Register = __m256i;
  static Register load(const char* p) noexcept { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Register all(char c) noexcept { return _mm256_set1_epi8(c); }
  static Register either(Register a, Register b) noexcept { return _mm256_or_si256(a, b); }
  static Register equal(Register a, Register b) noexcept { return _mm256_cmpeq_epi8(a, b); }
  static Register above(Register a, Register b) noexcept { return _mm256_cmpgt_epi8(a, b); }
  // bits() takes the highest bit of each byte: a shift brings bit 5 there.
  static Register has_bit_5(Register a) noexcept { return _mm256_slli_epi16(a, 2); }
  static std::uint64_t bits(Register a) noexcept { return static_cast<std::uint32_t>(_mm256_movemask_epi8(a)); }
};
#else
struct ByteBlock {
  static constexpr unsigned kSize = 16;
  using Register = ByteVector::Register;
  static Register load(const char* p) noexcept { return ByteVector::load(p); }
  static Register all(char c) noexcept { return ByteVector::all(c); }
  static Register either(Register a, Register b) noexcept { return ByteVector::either(a, b); }
  static Register equal(Register a, Register b) noexcept { return ByteVector::equal(a, b); }
  static Register above(Register a, Register b) noexcept { return ByteVector::above(a, b); }
  // bits() takes the highest bit of each byte: a shift brings bit 5 there.
  static Register has_bit_5(Register a) noexcept { return _mm_slli_epi16(a, 2); }
  static std::uint64_t bits(Register a) noexcept { return static_cast<std::uint32_t>(_mm_movemask_epi8(a)); }
};
#endif

#ifdef __PCLMUL__
#define KSR_JSON_PREFIX_XOR 1
// See block_masks.hpp: a product without carries by all ones is just that.
inline std::uint64_t prefix_xor(std::uint64_t mask) noexcept {
  const __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(mask)), _mm_set1_epi8(-1), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
}
#endif

}  // namespace KSR_JSON_ISA
}  // namespace ksr::json

#endif

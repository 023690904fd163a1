// `BlockMasks` shows 64 bytes of JSON as bit masks, the first byte in the lowest bit; used by block_skip_run.hpp. With
// SSE2, which every x86-64 has, or with AVX2 in the files that are compiled for it. Any thread.
#pragma once

#include <cstdint>

#include "json/bytes.hpp"

#ifdef KSR_JSON_SSE2

#ifdef __AVX2__
#include <immintrin.h>
#define KSR_JSON_ISA avx2
#else
#define KSR_JSON_ISA sse2
#endif

namespace ksr::json {
inline namespace KSR_JSON_ISA {

// One register of text, and which of its bytes are what.
struct Bytes {
#ifdef __AVX2__
  static constexpr unsigned kSize = 32;
  using Register = __m256i;
  static Register load(const char* p) noexcept {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static Register all(char c) noexcept {
    return _mm256_set1_epi8(c);
  }
  static Register either(Register a, Register b) noexcept {
    return _mm256_or_si256(a, b);
  }
  static Register equal(Register a, Register b) noexcept {
    return _mm256_cmpeq_epi8(a, b);
  }
  static Register above(Register a, Register b) noexcept {
    return _mm256_cmpgt_epi8(a, b);
  }
  static Register bit_5_up(Register a) noexcept {
    return _mm256_slli_epi16(a, 2);
  }
  static std::uint64_t bits(Register a) noexcept {
    return static_cast<std::uint32_t>(_mm256_movemask_epi8(a));
  }
#else
  static constexpr unsigned kSize = 16;
  using Register = __m128i;
  static Register load(const char* p) noexcept {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static Register all(char c) noexcept {
    return _mm_set1_epi8(c);
  }
  static Register either(Register a, Register b) noexcept {
    return _mm_or_si128(a, b);
  }
  static Register equal(Register a, Register b) noexcept {
    return _mm_cmpeq_epi8(a, b);
  }
  static Register above(Register a, Register b) noexcept {
    return _mm_cmpgt_epi8(a, b);
  }
  static Register bit_5_up(Register a) noexcept {
    return _mm_slli_epi16(a, 2);
  }
  static std::uint64_t bits(Register a) noexcept {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(a));
  }
#endif
};

struct BlockMasks {
  [[gnu::always_inline]] explicit BlockMasks(const char* p) noexcept {
    // Written out: at -O2 the compiler leaves such loops rolled up.
    add_part<0>(p);
    add_part<1>(p);
    if constexpr (Bytes::kSize == 16) {
      add_part<2>(p);
      add_part<3>(p);
    }
  }

  std::uint64_t quote = 0;
  std::uint64_t backslash = 0;
  // Brackets of both kinds.
  std::uint64_t open = 0;
  std::uint64_t close = 0;
  // Of a bracket: a curly one. Means nothing elsewhere.
  std::uint64_t curly = 0;
  std::uint64_t comma = 0;
  std::uint64_t colon = 0;
  // ' ' only.
  std::uint64_t space = 0;
  // Controls, and all that is not ASCII.
  std::uint64_t low = 0;

 private:
  template <unsigned I>
  [[gnu::always_inline]] void add_part(const char* p) noexcept {
    constexpr unsigned at = I * Bytes::kSize;
    const auto bytes = Bytes::load(p + at);
    // '[' and ']' differ from '{' and '}' by 0x20 alone.
    const auto folded = Bytes::either(bytes, Bytes::all(0x20));
    const auto are = [&](char c) { return Bytes::bits(Bytes::equal(bytes, Bytes::all(c))) << at; };
    quote |= are('"');
    backslash |= are('\\');
    open |= Bytes::bits(Bytes::equal(folded, Bytes::all('{'))) << at;
    close |= Bytes::bits(Bytes::equal(folded, Bytes::all('}'))) << at;
    curly |= Bytes::bits(Bytes::bit_5_up(bytes)) << at;
    comma |= are(',');
    colon |= are(':');
    space |= are(' ');
    low |= Bytes::bits(Bytes::above(Bytes::all(0x20), bytes)) << at;
  }
};

// The whitespace of JSON that is not ' '.
inline std::uint64_t control_space(const char* p) noexcept {
  std::uint64_t mask = 0;
  for (unsigned at = 0; at < 64; at += Bytes::kSize) {
    const auto bytes = Bytes::load(p + at);
    const auto is = [&](char c) { return Bytes::equal(bytes, Bytes::all(c)); };
    mask |= Bytes::bits(Bytes::either(Bytes::either(is('\t'), is('\n')), is('\r'))) << at;
  }
  return mask;
}

// Each bit becomes the exclusive or of itself and all lower ones: from marks at quotes to the text between them.
inline std::uint64_t prefix_xor(std::uint64_t mask) noexcept {
#ifdef __PCLMUL__
  // A product without carries by all ones is just that.
  const __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<long long>(mask)), _mm_set1_epi8(-1), 0);
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(product));
#else
  mask ^= mask << 1;
  mask ^= mask << 2;
  mask ^= mask << 4;
  mask ^= mask << 8;
  mask ^= mask << 16;
  mask ^= mask << 32;
  return mask;
#endif
}

}  // namespace KSR_JSON_ISA
}  // namespace ksr::json

#endif

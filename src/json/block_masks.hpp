// 64 bytes of JSON text as bit masks, the first byte in the lowest bit. SSE2 only, which every x86-64 has.
#pragma once

#include <cstdint>

#include "json/bytes.hpp"

#ifdef KSR_JSON_SSE2

namespace ksr::json {

struct BlockMasks {
  explicit BlockMasks(const char* p) noexcept {
    // Written out: at -O2 the compiler leaves such loops rolled up.
    add_quarter<0>(p);
    add_quarter<1>(p);
    add_quarter<2>(p);
    add_quarter<3>(p);
  }

  std::uint64_t quote = 0;
  std::uint64_t backslash = 0;
  // Brackets of both kinds.
  std::uint64_t open = 0;
  std::uint64_t close = 0;
  std::uint64_t comma = 0;
  std::uint64_t colon = 0;
  // ' ' only.
  std::uint64_t space = 0;
  // Controls, and all that is not ASCII.
  std::uint64_t low = 0;

 private:
  template <unsigned I>
  void add_quarter(const char* p) noexcept {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + I);
    // '[' and ']' differ from '{' and '}' by 0x20 alone.
    const __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
    quote |= bits<I>(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    backslash |= bits<I>(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    open |= bits<I>(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')));
    close |= bits<I>(_mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
    comma |= bits<I>(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(',')));
    colon |= bits<I>(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(':')));
    space |= bits<I>(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
    low |= bits<I>(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)));
  }
  template <unsigned I>
  static std::uint64_t bits(__m128i equal) noexcept {
    return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(equal))) << (16 * I);
  }
};

// The whitespace of JSON that is not ' '.
inline std::uint64_t control_space(const char* p) noexcept {
  std::uint64_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p) + i);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i line_feed = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
    const __m128i carriage_return = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
    const int found = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(tab, line_feed), carriage_return));
    mask |= static_cast<std::uint64_t>(static_cast<unsigned>(found)) << (16 * i);
  }
  return mask;
}

// Each bit becomes the exclusive or of itself and all lower ones: from marks at quotes to the text between them.
inline std::uint64_t prefix_xor(std::uint64_t mask) noexcept {
  mask ^= mask << 1;
  mask ^= mask << 2;
  mask ^= mask << 4;
  mask ^= mask << 8;
  mask ^= mask << 16;
  mask ^= mask << 32;
  return mask;
}

}  // namespace ksr::json

#endif

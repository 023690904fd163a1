// `BlockMasks` shows 64 bytes of JSON as bit masks, the first byte in the lowest bit; used by block_skip_run.hpp and
// text_cursor.cpp, where the machine has vector registers (simd.hpp). Any thread.
#pragma once

#include <cstdint>

#include "json/simd.hpp"

#ifdef KSR_JSON_SIMD

namespace ksr::json {
inline namespace KSR_JSON_ISA {

struct BlockMasks {
  [[gnu::always_inline]] explicit BlockMasks(const char* p) noexcept {
    // Written out: at -O2 the compiler leaves such loops rolled up.
    add_part<0>(p);
    if constexpr (ByteBlock::kSize <= 32) add_part<1>(p);
    if constexpr (ByteBlock::kSize <= 16) {
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
    constexpr unsigned at = I * ByteBlock::kSize;
    const auto bytes = ByteBlock::load(p + at);
    // '[' and ']' differ from '{' and '}' by 0x20 alone.
    const auto folded = ByteBlock::either(bytes, ByteBlock::all(0x20));
    const auto are = [&](char c) { return ByteBlock::bits(ByteBlock::equal(bytes, ByteBlock::all(c))) << at; };
    quote |= are('"');
    backslash |= are('\\');
    open |= ByteBlock::bits(ByteBlock::equal(folded, ByteBlock::all('{'))) << at;
    close |= ByteBlock::bits(ByteBlock::equal(folded, ByteBlock::all('}'))) << at;
    curly |= ByteBlock::bits(ByteBlock::has_bit_5(bytes)) << at;
    comma |= are(',');
    colon |= are(':');
    space |= are(' ');
    low |= ByteBlock::bits(ByteBlock::above(ByteBlock::all(0x20), bytes)) << at;
  }
};

// The whitespace of JSON that is not ' '.
inline std::uint64_t control_space(const char* p) noexcept {
  std::uint64_t mask = 0;
  for (unsigned at = 0; at < 64; at += ByteBlock::kSize) {
    const auto bytes = ByteBlock::load(p + at);
    const auto is = [&](char c) { return ByteBlock::equal(bytes, ByteBlock::all(c)); };
    mask |= ByteBlock::bits(ByteBlock::either(ByteBlock::either(is('\t'), is('\n')), is('\r'))) << at;
  }
  return mask;
}

#ifndef KSR_JSON_PREFIX_XOR
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
#endif

}  // namespace KSR_JSON_ISA
}  // namespace ksr::json

#endif

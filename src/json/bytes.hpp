// The innermost loops over JSON text, with SSE2 where the machine has it; used by the scanner and its parts. Any
// thread.
#pragma once

#include <cstdint>

#include "base/text.hpp"

#if defined(__SSE2__) && !defined(KSR_JSON_PORTABLE)
#define KSR_JSON_SSE2 1
#include <emmintrin.h>
#endif

namespace ksr::json {

inline bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// What ends a run of bytes that stand for themselves inside a string: quote, backslash, control, not ASCII.
inline bool is_special_in_string(char c) noexcept {
  return c == '"' || c == '\\' || static_cast<signed char>(c) < 0x20;
}

#ifdef KSR_JSON_SSE2
// Which of the 16 bytes at `p` are special in a string, the first in the lowest bit.
inline unsigned special_in_string_16(const char* p) noexcept {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  // Signed: the bytes from 0x80 on are below zero, so one comparison finds them and the controls.
  const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), low)));
}
#endif

inline const char* find_special_in_string(const char* p, const char* end) noexcept {
#ifdef KSR_JSON_SSE2
  while (end - p >= 16) {
    if (const unsigned special = special_in_string_16(p)) return p + __builtin_ctz(special);
    p += 16;
  }
#endif
  while (p != end && !is_special_in_string(*p)) ++p;
  return p;
}

inline const char* skip_space(const char* p, const char* end) noexcept {
  if (p == end || static_cast<unsigned char>(*p) > ' ') return p;
#ifdef KSR_JSON_SSE2
  // Indentation only: a pretty-printed document is half spaces.
  if (*p == '\n') ++p;
  while (end - p >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto spaces = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(' '))));
    if (spaces != 0xffff) {
      p += __builtin_ctz(~spaces);
      break;
    }
    p += 16;
  }
#endif
  while (p != end && is_space(*p)) ++p;
  return p;
}

}  // namespace ksr::json

// The innermost loops over JSON text, with vector registers where the machine has them; used by the scanner and its
// parts. Any thread.
#pragma once

#include <cstdint>

#include "base/text.hpp"
#include "json/simd.hpp"

namespace ksr::json {

inline bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// What ends a run of bytes that stand for themselves inside a string: quote, backslash, control, not ASCII.
inline bool is_special_in_string(char c) noexcept {
  return c == '"' || c == '\\' || static_cast<signed char>(c) < 0x20;
}

#ifdef KSR_JSON_SIMD
// Which of the bytes at `p` are special in a string.
inline ByteVector::Marks special_in_string(const char* p) noexcept {
  const auto bytes = ByteVector::load(p);
  const auto quote = ByteVector::equal(bytes, ByteVector::all('"'));
  const auto backslash = ByteVector::equal(bytes, ByteVector::all('\\'));
  // Signed: the bytes from 0x80 on are below zero, so one comparison finds them and the controls.
  const auto low = ByteVector::above(ByteVector::all(0x20), bytes);
  return ByteVector::marks(ByteVector::either(ByteVector::either(quote, backslash), low));
}
#endif

inline const char* find_special_in_string(const char* p, const char* end) noexcept {
#ifdef KSR_JSON_SIMD
  while (end - p >= ByteVector::kSize) {
    if (const auto special = special_in_string(p)) return p + ByteVector::first(special);
    p += ByteVector::kSize;
  }
#endif
  while (p != end && !is_special_in_string(*p)) ++p;
  return p;
}

inline const char* skip_space(const char* p, const char* end) noexcept {
  if (p == end || static_cast<unsigned char>(*p) > ' ') return p;
#ifdef KSR_JSON_SIMD
  // Indentation only: a pretty-printed document is half spaces.
  if (*p == '\n') ++p;
  while (end - p >= ByteVector::kSize) {
    const auto spaces = ByteVector::marks(ByteVector::equal(ByteVector::load(p), ByteVector::all(' ')));
    if (spaces != ByteVector::kAll) {
      p += ByteVector::first(~spaces);
      break;
    }
    p += ByteVector::kSize;
  }
#endif
  while (p != end && is_space(*p)) ++p;
  return p;
}

}  // namespace ksr::json

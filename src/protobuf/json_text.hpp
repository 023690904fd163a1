// `write_string` and `write_number` write values as Go's encoder does (encoding/json, with its HTML escapes) into
// memory that is large enough; used by ObjectDecoder. Pure. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "json/simd.hpp"

namespace ksr::protobuf {

// Text is copied in blocks of this size: that much more than it needs may be written, and read where it is readable.
inline constexpr std::size_t kBlock = 16;
// A byte that is no UTF-8 becomes \ufffd.
inline constexpr std::size_t kMaxEscape = 6;

// The character at `p`, which is before `end` and does not stand for itself; `p` is then behind it.
char* write_escaped(const char*& p, const char* end, char* out) noexcept;

// Whether a byte stands for itself in a string.
inline bool is_plain(unsigned char c) noexcept {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

// Copies a text, and what is behind it up to a block: the first two blocks may be read and written in any case. Two
// copies without a condition cost less than a wrong guess.
inline char* copy_blocks(const char* from, std::size_t size, char* out) noexcept {
  std::memcpy(out, from, 2 * kBlock);
  for (std::size_t at = 2 * kBlock; at < size; at += kBlock) std::memcpy(out + at, from + at, kBlock);
  return out + size;
}

#ifdef KSR_JSON_SIMD
// Which of the bytes at `p` does not stand for itself: quotes, backslashes, controls, <, >, &, not ASCII.
inline json::ByteVector::Marks escaped_in_go(const char* p) noexcept {
  using V = json::ByteVector;
  const auto bytes = V::load(p);
  // < and > differ in bit 1, & and " in bit 2.
  const auto angles = V::equal(V::either(bytes, V::all(2)), V::all('>'));
  const auto quotes = V::equal(V::either(bytes, V::all(4)), V::all('&'));
  const auto backslashes = V::equal(bytes, V::all('\\'));
  // Signed: the bytes from 0x80 on are below zero.
  const auto low = V::above(V::all(0x20), bytes);
  return V::marks(V::either(V::either(angles, quotes), V::either(backslashes, low)));
}
#endif

// The text of a string, without quotes. Room: kMaxEscape times its size, and a block. `readable_end`: up to where bytes
// may be read.
inline char* write_text(std::string_view text, const char* readable_end, char* out) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
#ifdef KSR_JSON_SIMD
  while (p != end && static_cast<std::size_t>(readable_end - p) >= kBlock) {
    std::memcpy(out, p, kBlock);
    const auto marks = escaped_in_go(p);
    const auto left = static_cast<std::size_t>(end - p);
    const std::size_t plain = marks == 0 ? kBlock : json::ByteVector::first(marks);
    if (left <= plain) return out + left;
    p += plain;
    out += plain;
    if (plain != kBlock) out = write_escaped(p, end, out);
  }
#else
  static_cast<void>(readable_end);
#endif
  while (p != end) {
    if (is_plain(static_cast<unsigned char>(*p))) {
      *out++ = *p++;
    } else {
      out = write_escaped(p, end, out);
    }
  }
  return out;
}

// With its quotes.
inline char* write_string(std::string_view text, const char* readable_end, char* out) noexcept {
  *out = '"';
  out = write_text(text, readable_end, out + 1);
  *out = '"';
  return out + 1;
}

// Decimal. Room: 20 characters.
inline char* write_number(std::uint64_t value, char* out) noexcept {
  if (value < 10) {
    *out = static_cast<char>('0' + value);
    return out + 1;
  }
  char digits[20];
  char* p = digits + sizeof digits;
  for (; value != 0; value /= 10) *--p = static_cast<char>('0' + value % 10);
  const auto size = static_cast<std::size_t>(digits + sizeof digits - p);
  std::memcpy(out, p, size);
  return out + size;
}

inline char* write_number(std::int64_t value, char* out) noexcept {
  if (value >= 0) return write_number(static_cast<std::uint64_t>(value), out);
  *out = '-';
  return write_number(std::uint64_t{0} - static_cast<std::uint64_t>(value), out + 1);
}

// Room: 32 characters. NULL: it has no JSON (infinite, not a number).
char* write_double(double value, char* out) noexcept;

// As time.Duration's String has it: "1h0m0.5s". Room: 32 characters.
char* write_duration(std::int64_t nanoseconds, char* out) noexcept;

}  // namespace ksr::protobuf

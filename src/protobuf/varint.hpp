// `read_varint` reads a number of variable length as protobuf has it; used by all readers of messages. Pure. Any
// thread.
#pragma once

#include <cstdint>

namespace ksr::protobuf {

inline constexpr int kMaxVarintBytes = 10;

struct Varint {
  const char* end;  // NULL: it does not end where it has to, or has more than 64 bits
  std::uint64_t value;
};

Varint read_long_varint(const char* p, const char* end) noexcept;

inline Varint read_varint(const char* p, const char* end) noexcept {
  // Most have one byte.
  if (p != end && static_cast<signed char>(*p) >= 0) return {p + 1, static_cast<unsigned char>(*p)};
  return read_long_varint(p, end);
}

// The same of a tag or a size, of which many have two.
inline Varint read_short_varint(const char* p, const char* end) noexcept {
  if (p == end) return {nullptr, 0};
  const std::uint64_t low = static_cast<unsigned char>(*p++);
  if (low < 0x80) return {p, low};
  if (p != end && static_cast<signed char>(*p) >= 0) {
    return {p + 1, (low & 0x7F) | std::uint64_t{static_cast<unsigned char>(*p)} << 7};
  }
  return read_long_varint(p - 1, end);
}

}  // namespace ksr::protobuf

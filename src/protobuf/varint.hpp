// `read_varint` reads a number of variable length as protobuf has it; used by all readers of messages. Pure. Any
// thread.
#pragma once

#include <cstdint>

namespace ksr::protobuf {

inline constexpr int kMaxVarintBytes = 10;

// Returns where it ends; NULL when it does not end before `end`, or has more than 64 bits.
inline const char* read_varint(const char* p, const char* end, std::uint64_t& value) noexcept {
  if (p == end) return nullptr;
  auto byte = static_cast<unsigned char>(*p++);
  value = byte;
  if (byte < 0x80) return p;
  value &= 0x7F;
  for (int i = 1; i < kMaxVarintBytes && p != end; ++i) {
    byte = static_cast<unsigned char>(*p++);
    // The tenth has the highest bit of the value alone.
    if (i == kMaxVarintBytes - 1 && byte > 1) return nullptr;
    value |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) return p;
  }
  return nullptr;
}

}  // namespace ksr::protobuf

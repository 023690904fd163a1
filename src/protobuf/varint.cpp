#include "protobuf/varint.hpp"

namespace ksr::protobuf {

Varint read_long_varint(const char* p, const char* end) noexcept {
  std::uint64_t value = 0;
  for (int i = 0; i < kMaxVarintBytes && p != end; ++i) {
    const auto byte = static_cast<unsigned char>(*p++);
    // The tenth has the highest bit of the value alone.
    if (i == kMaxVarintBytes - 1 && byte > 1) return {nullptr, 0};
    value |= std::uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) return {p, value};
  }
  return {nullptr, 0};
}

}  // namespace ksr::protobuf

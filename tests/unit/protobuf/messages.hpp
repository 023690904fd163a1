// Messages of protobuf, written by the tests.
#pragma once

#include <cstdint>
#include <string>

namespace ksr::protobuf {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7F) | 0x80);
  return bytes + static_cast<char>(value);
}

inline std::string number_field(std::uint32_t number, std::uint64_t value) {
  return varint(std::uint64_t{number} << 3) + varint(value);
}

inline std::string bytes_field(std::uint32_t number, const std::string& bytes) {
  return varint(std::uint64_t{number} << 3 | 2) + varint(bytes.size()) + bytes;
}

// As kube-apiserver sends an object.
inline std::string enveloped(const std::string& api_version, const std::string& kind, const std::string& raw) {
  return std::string("k8s\0", 4) + bytes_field(1, bytes_field(1, api_version) + bytes_field(2, kind)) +
         bytes_field(2, raw) + bytes_field(3, "") + bytes_field(4, "");
}

}  // namespace ksr::protobuf

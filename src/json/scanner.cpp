#include "json/scanner.hpp"

namespace ksr::json {

std::string describe_byte(char c) {
  if (c > ' ' && c < 0x7f) return std::string("'") + c + "'";
  constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
}

}  // namespace ksr::json

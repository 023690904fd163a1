// `base64_encode`, `base64url_encode` and `base64_decode` are those of RFC 4648; used for credentials, PEM and
// WebSocket subprotocols. Pure, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ksr {

// Section 4, with padding.
std::string base64_encode(std::string_view bytes);
// The same, base64_size(bytes.size()) characters from `to` on.
void base64_encode(std::string_view bytes, char* to) noexcept;
constexpr std::size_t base64_size(std::size_t bytes) noexcept {
  return (bytes + 2) / 3 * 4;
}
// Section 5, without padding: what WebSocket subprotocols carry.
std::string base64url_encode(std::string_view bytes);
// Section 4; white space between the characters is skipped, as YAML block scalars have it. Empty: not base64.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace ksr

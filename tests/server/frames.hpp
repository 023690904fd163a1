// The server's side of WebSocket frames (RFC 6455): it writes frames and reads masked ones; used by Connection.
// Pure: on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ksr::testserver {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

struct Frame {
  Opcode opcode = Opcode::text;
  std::string payload;
  bool final = true;
};

std::string frame(Opcode opcode, std::string_view payload, bool final = true);
std::string close_frame(std::uint16_t code, std::string_view reason = "");
// Removes the first complete frame from `inbox`; empty until there is one.
std::optional<Frame> take_frame(std::string& inbox);
// Sec-WebSocket-Accept for a key.
std::string accept_key(const std::string& key);

}  // namespace ksr::testserver

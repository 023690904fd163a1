#include "server/frames.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace ksr::testserver {
namespace {

std::uint64_t number(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}

}  // namespace

std::string frame(Opcode opcode, std::string_view payload, bool final) {
  std::string text(1, static_cast<char>(static_cast<int>(opcode) | (final ? 0x80 : 0)));
  if (payload.size() < 126) {
    text += static_cast<char>(payload.size());
  } else if (payload.size() < 65'536) {
    text += static_cast<char>(126) + big_endian(payload.size(), 2);
  } else {
    text += static_cast<char>(127) + big_endian(payload.size(), 8);
  }
  return text.append(payload);
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  return frame(Opcode::close, big_endian(code, 2).append(reason));
}

std::optional<Frame> take_frame(std::string& inbox) {
  if (inbox.size() < 2) return std::nullopt;
  const auto second = static_cast<unsigned char>(inbox[1]);
  const std::size_t extended = (second & 0x7F) == 126 ? 2 : (second & 0x7F) == 127 ? 8 : 0;
  const bool masked = (second & 0x80) != 0;
  const std::size_t head = 2 + extended + (masked ? 4 : 0);
  if (inbox.size() < head) return std::nullopt;
  const std::uint64_t size = extended == 0 ? second & 0x7F : number(std::string_view(inbox).substr(2, extended));
  if (inbox.size() - head < size) return std::nullopt;
  Frame found{static_cast<Opcode>(inbox[0] & 0x0F), inbox.substr(head, size), (inbox[0] & 0x80) != 0};
  for (std::size_t i = 0; masked && i < found.payload.size(); ++i) {
    found.payload[i] = static_cast<char>(found.payload[i] ^ inbox[head - 4 + i % 4]);
  }
  inbox.erase(0, head + size);
  return found;
}

std::string accept_key(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  unsigned char encoded[32];
  EVP_EncodeBlock(encoded, digest, sizeof digest);
  return reinterpret_cast<const char*>(encoded);
}

}  // namespace ksr::testserver

#include "unit/transport/websocket_peer.hpp"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <functional>

namespace test {

std::string header_value(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string accept_key(const std::string& request) {
  const std::string text = header_value(request, "Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  unsigned char encoded[64];
  const int size = EVP_EncodeBlock(encoded, digest, sizeof digest);
  return std::string(reinterpret_cast<char*>(encoded), static_cast<std::size_t>(size));
}

std::string accept_websocket(Peer& peer) {
  std::string request = peer.receive_head();
  std::string answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  answer += "Sec-WebSocket-Accept: " + accept_key(request) + "\r\n";
  const std::string protocol = header_value(request, "Sec-WebSocket-Protocol");
  if (!protocol.empty()) answer += "Sec-WebSocket-Protocol: " + protocol + "\r\n";
  peer.send(answer + "\r\n");
  return request;
}

std::string frame(int opcode, const std::string& payload, bool final) {
  std::string bytes(1, static_cast<char>((final ? 0x80 : 0) | opcode));
  const std::size_t size = payload.size();
  if (size < 126) {
    bytes += static_cast<char>(size);
  } else if (size < 65536) {
    bytes += static_cast<char>(126);
    bytes += static_cast<char>(size >> 8);
    bytes += static_cast<char>(size & 0xff);
  } else {
    bytes += static_cast<char>(127);
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((size >> shift) & 0xff);
  }
  return bytes + payload;
}

std::string close_payload(int code, const std::string& reason) {
  std::string payload;
  payload += static_cast<char>(code >> 8);
  payload += static_cast<char>(code & 0xff);
  return payload + reason;
}

namespace {

// `take` returns as many bytes as it is asked for, or fewer at the end.
Frame parse_frame(const std::function<std::string(std::size_t)>& take) {
  Frame read;
  const std::string start = take(2);
  if (start.size() < 2) return read;
  std::size_t size = static_cast<unsigned char>(start[1]) & 0x7f;
  read.masked = (static_cast<unsigned char>(start[1]) & 0x80) != 0;
  if (size >= 126) {
    const std::string length = take(size == 126 ? 2 : 8);
    size = 0;
    for (const char byte : length) size = size << 8 | static_cast<unsigned char>(byte);
  }
  const std::string mask = read.masked ? take(4) : std::string(4, '\0');
  read.payload = take(size);
  for (std::size_t i = 0; i < read.payload.size(); ++i) {
    read.payload[i] = static_cast<char>(read.payload[i] ^ mask[i % 4]);
  }
  read.opcode = static_cast<unsigned char>(start[0]) & 0x0f;
  return read;
}

}  // namespace

Frame read_frame(Peer& peer) {
  return parse_frame([&peer](std::size_t size) { return peer.receive_exactly(size); });
}

std::vector<Frame> frames_of(const std::string& bytes) {
  std::vector<Frame> frames;
  std::size_t at = 0;
  const auto take = [&](std::size_t size) {
    const std::string part = bytes.substr(at, size);
    at += part.size();
    return part;
  };
  while (at < bytes.size()) frames.push_back(parse_frame(take));
  return frames;
}

}  // namespace test

// WebSockets: what a server sends, in pieces, while the host sends, closes, lets time pass or destroys the exchange.
// The messages are those that a decoder of RFC 6455, section 5.2, finds in the same bytes.
#include <openssl/sha.h>

#include "base/base64.hpp"
#include "fuzz/fuzz.hpp"
#include "fuzz/transport/memory_network.hpp"
#include "fuzz/transport/observed.hpp"
#include "transport/websocket_exchange.hpp"

namespace {

using ksr::Milliseconds;
using ksr::fuzz::Input;
using ksr::fuzz::MemoryNetwork;
using ksr::fuzz::Observed;
using ksr::fuzz::require;

struct Decoded {
  std::vector<std::string> messages;
  // What ended it: neither, and more may come.
  bool closed = false;
  bool violated = false;
};

// Frames of a server: without a mask.
Decoded decode(std::string_view bytes) {
  Decoded decoded;
  std::string message;
  bool fragmented = false;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  while (bytes.size() >= 2) {
    const unsigned opcode = byte(0) & 15;
    const bool final = (byte(0) & 128) != 0;
    const bool control = opcode >= 8;
    std::uint64_t size = byte(1) & 127;
    std::size_t head = 2;
    const bool bad = (byte(0) & 0x70) != 0 || (byte(1) & 128) != 0 || (opcode > 2 && opcode < 8) || opcode > 10 ||
                     (control && (!final || size > 125)) || (!control && (opcode == 0) != fragmented);
    if (bad) {
      decoded.violated = true;
      return decoded;
    }
    if (size > 125) {
      const std::size_t digits = size == 126 ? 2 : 8;
      head += digits;
      if (bytes.size() < head) return decoded;
      const std::uint64_t smallest = size == 126 ? 126 : 65536;
      size = 0;
      for (std::size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
      decoded.violated = size < smallest || size > 256 * 1024 * 1024;
      if (decoded.violated) return decoded;
    }
    if (bytes.size() - head < size) return decoded;
    const std::string_view payload = bytes.substr(head, static_cast<std::size_t>(size));
    bytes.remove_prefix(head + payload.size());
    if (opcode == 8) {
      decoded.closed = true;
      return decoded;
    }
    if (control) continue;
    message += payload;
    fragmented = !final;
    if (final) decoded.messages.push_back(std::exchange(message, {}));
  }
  return decoded;
}

std::string accept_head(const std::string& request) {
  const std::string name = "Sec-WebSocket-Key: ";
  const std::size_t at = request.find(name);
  require(at != std::string::npos, "a handshake without a key");
  const std::string key = request.substr(at + name.size(), 24) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(key.data()), key.size(), hash);
  const std::string accept = ksr::base64_encode({reinterpret_cast<const char*>(hash), sizeof hash});
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         accept + "\r\n";
}

// The server: the answer to the handshake, then the pieces of the input.
class Server {
 public:
  Server(std::string_view bytes, std::size_t piece, bool accepts, bool resets)
      : rest_(bytes), piece_(piece), accepts_(accepts), resets_(resets) {}

  bool operator()(const std::string& written, std::size_t most, MemoryNetwork::Arrival& arrival) {
    if (written.find("\r\n\r\n") == std::string::npos) return false;
    if (accepts_ && !answered_) {
      answered_ = true;
      arrival.bytes = accept_head(written) + "\r\n";
      return true;
    }
    arrival.bytes = std::string(rest_.substr(0, std::min(piece_, most)));
    rest_.remove_prefix(arrival.bytes.size());
    arrival.failed = arrival.bytes.empty() && resets_;
    return true;
  }

 private:
  std::string_view rest_;
  const std::size_t piece_;
  const bool accepts_;
  const bool resets_;
  bool answered_ = false;
};

// One action of the host for each byte of the input's second line. True: it may keep messages from being delivered.
bool act(std::uint8_t choice, Observed& observed, MemoryNetwork& network) {
  if (!observed.exchange || observed.ended) return false;
  switch (choice % 8) {
    case 0:
      observed.exchange->send("a message", ksr::transport::MessageType::text, [] {});
      return false;
    case 1:
      observed.exchange->send(std::string(choice * 600u, 'b'), ksr::transport::MessageType::binary, {});
      return false;
    case 2:
      observed.exchange->close(1000, "enough");
      return true;
    case 3:
      network.advance(Milliseconds(choice * 100));
      return true;
    case 4:
      observed.destroy();
      return true;
    default:
      return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::uint8_t choice = input.byte();
  const std::size_t destroy_in = input.byte();
  const std::size_t piece = 1 + input.byte();
  const std::string actions(input.line());
  const std::string bytes(input.rest());
  const bool accepts = (choice & 1) == 0;

  MemoryNetwork network(Server(bytes, piece, accepts, (choice & 2) != 0));
  Observed observed(destroy_in > 200 ? 0 : destroy_in);
  ksr::transport::Request request;
  request.target = "/api/v1/pods?watch=true";
  if ((choice & 4) != 0) request.subprotocol = "v4.channel.k8s.io";
  if ((choice & 8) != 0) request.ping_interval = Milliseconds(1000);
  if ((choice & 16) != 0) request.idle_timeout = Milliseconds(2000);
  if ((choice & 32) != 0) request.response_timeout = Milliseconds(3000);
  observed.exchange = ksr::transport::start_websocket(network.route(), request, observed);

  bool interfered = false;
  std::size_t action = 0;
  while (network.run_one()) {
    if (action < actions.size()) {
      interfered = act(static_cast<std::uint8_t>(actions[action++]), observed, network) || interfered;
    }
  }
  const Decoded decoded = decode(bytes);
  if (accepts && observed.status == 101) {
    const auto& messages = observed.messages;
    const bool is_prefix = messages.size() <= decoded.messages.size() &&
                           std::equal(messages.begin(), messages.end(), decoded.messages.begin());
    require(is_prefix, "messages that the server did not send");
    if (!interfered && !observed.destroyed()) {
      require(messages.size() == decoded.messages.size(), "messages are missing");
      require(observed.ended, "the connection ended, the exchange did not");
      if (decoded.violated) require(observed.failed, "a protocol violation that is no error");
    }
  }
  observed.destroy();
  network.run();
  return 0;
}

// `Transport` is the network as the other modules see it; used by cluster, request, channel and stream. Nothing of
// cpprestsdk shows here.
//
// Thread rule: everything in this header is called on the executor's thread, and calls back on it. Nothing here blocks.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "base/instant.hpp"
#include "base/url.hpp"

namespace ksr::transport {

struct Header {
  std::string name;
  std::string value;
};
inline bool operator==(const Header& a, const Header& b) {
  return a.name == b.name && a.value == b.value;
}

struct TlsSettings {
  // PEM. Without `ca_pem` the system's CAs are trusted; with it, only they are.
  std::string ca_pem;
  std::string client_certificate_pem;
  std::string client_key_pem;
  // Sent as SNI and verified in place of the URL's host.
  std::string server_name;
  bool skip_verify = false;
};

// All that decides which sockets a request may share.
struct ConnectionSettings {
  Url server = {};
  TlsSettings tls = {};
  std::optional<Url> proxy = std::nullopt;
  // From the start of an exchange to a connection that is ready to carry it: name resolution, TCP, proxy, TLS; 0: no
  // limit.
  Milliseconds connect_timeout{30'000};
};

struct Request {
  // GET, POST, …; any token but CONNECT and TRACE. WebSocket: GET. Only a safe method (GET, HEAD, OPTIONS; RFC 9110,
  // section 9.2.1) is repeated when the server had closed a pooled connection; any other one goes over a new connection
  // when the pooled one has rested for more than a second, in which the server may have closed it.
  std::string method = "GET";
  // "/api/v1/pods?limit=500": percent-encoded, appended to the server's prefix as it stands.
  std::string target;
  // Stands in the place of the server's prefix.
  std::optional<std::string> prefix = std::nullopt;
  std::vector<Header> headers;
  // HTTP only: sent with a Content-Length; its Content-Type is among the headers, else application/octet-stream.
  std::string body = {};
  // From the connection being ready to the last byte of the response head; 0: no limit. A WebSocket without TLS: for a
  // proxy's answer to CONNECT, too, which nothing else needs then.
  Milliseconds response_timeout{0};
  // The longest time without a byte within a body, or of a WebSocket message; 0: no limit.
  Milliseconds idle_timeout{0};
  // From the connection being ready to the end of the response, however steadily it arrives; 0: no limit.
  Milliseconds whole_timeout{0};
  // HTTP only: sends Accept-Encoding: gzip, and inflates what comes.
  bool accept_gzip = false;
  // HTTP only: whoever reads the body can tell whether it is whole. One that ends with its connection may then do so
  // over TLS without close_notify; elsewhere that is a cut (RFC 9112, section 9.8). Of JSON and protobuf it is known.
  bool cut_shows = false;
  // WebSocket only: at most one for kube-apiserver, which answers 400 to two; several ("a, b") where the server takes
  // some of them for itself, as Headlamp does. Origin is always sent.
  std::string subprotocol;
  // A watch: the response ends when the client or a time limit of the server says so (apiserver's "long-running
  // request").
  bool long_running = false;
  // WebSocket only: a ping each `ping_interval`, and the connection is given up when no pong came for `pong_timeout`;
  // 0: there are no pings, or they are waited for without limit.
  Milliseconds ping_interval{0};
  Milliseconds pong_timeout{15'000};
  // WebSocket only: after close(), for the peer's answer.
  Milliseconds close_timeout{5'000};
  // WebSocket only: the peer may stop to read for as long as it likes, as a command that does not read its standard
  // input. It answers no pings meanwhile, so a missing pong counts only when nothing was written since the last one;
  // and the kernel's TCP_USER_TIMEOUT, which counts a window of zero, gives way to a look at its acknowledgements.
  bool peer_may_pause = false;
  // Of `peer_may_pause`: the connection is given up when data waits for the peer for so long, and it acknowledged
  // nothing meanwhile. Looked at three times in it, which comes on top once.
  Milliseconds acknowledgement_limit{45'000};
  // WebSocket only: a frame that is announced to be longer ends it with Status::too_large. Messages have no limit here:
  // what comes of them is delivered as it comes.
  std::size_t max_frame = std::size_t{256} << 20;
};

// Whether the body is what was asked for: 200, or 203 when a proxy has changed it (RFC 9110, section 15.3.4).
// Whether repeating a request of this method changes nothing more (RFC 9110, section 9.2.1). TRACE is never sent.
inline bool is_safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

inline bool is_success(int http_status) {
  return http_status == 200 || http_status == 203;
}
// RFC 9110, section 15.3. What a call is asked to do may have another one of them than is_success().
inline bool is_2xx(int http_status) {
  return http_status >= 200 && http_status < 300;
}

// Of the body of a refused call, or of a refused handshake, so much is read. A Status with many causes may be long.
inline constexpr std::size_t kMaxRefusedCall = std::size_t{4} << 20;
// And for so long: the answer is known with its head, the body only says why.
inline constexpr Milliseconds kMaxRefusalTime{5'000};

struct ResponseHead {
  // 101 for an open WebSocket.
  int status = 0;
  std::string content_type;
  // Retry-After as sent: seconds or an HTTP date; empty without one.
  std::string retry_after;
  // All headers, names in lower case.
  std::vector<Header> headers;
  // host:port of the proxy that plain HTTP is sent to, and that may have answered itself; empty without one.
  std::string proxy = {};
};

enum class MessageType { text, binary };

// Notified of what happens to one exchange, in this order: on_head once, on_body any number of times, on_end once. A
// failure before the head is on_end alone. The observer may destroy the Exchange in any of the calls; none comes after.
class ExchangeObserver {
 public:
  virtual ~ExchangeObserver() = default;
  virtual void on_head(const ResponseHead& head) = 0;
  // The bytes of the body as they arrive, inflated; valid during the call.
  virtual void on_body(std::string_view bytes) = 0;
  // How many bytes of the body have come, before they are inflated. on_body follows, unless too few have come.
  virtual void on_wire_bytes(std::size_t /*count*/) {}
  // WebSocket only: what came since the last call is one whole message.
  virtual void on_message_end(MessageType /*type*/) {}
  // WebSocket only, before on_end: the peer has sent a close frame. 1005: without a code (RFC 6455, section 7.1.5).
  virtual void on_close(int /*code*/, std::string_view /*reason*/) {}
  // WebSocket only: a ping was answered after `round_trip`.
  virtual void on_pong(std::chrono::microseconds /*round_trip*/) {}
  // Between on_head and on_end: all that has arrived by now has been delivered. The moment to act on it, once for many
  // events.
  virtual void on_drained() {}
  // Empty: the body is complete, or the WebSocket was closed in order. Otherwise: transport (502), timeout (408), tls
  // (502), protocol; the message names the step, the host and the reason. Error::maybe_done: see there.
  virtual void on_end(const std::optional<Error>& error) = 0;
};

// full: too much waits to be sent, and the message was not taken; it can be sent when a `written` has been called.
// closed: not an open WebSocket (before on_head, after close(), or HTTP).
enum class SendStatus { queued, full, closed };

// One request and its response. Destroying it cancels: no observer call starts afterwards, nothing waits.
class Exchange {
 public:
  virtual ~Exchange() = default;
  // A connection was ready for the request, which is on its way or has been sent. Stays true after the end.
  virtual bool is_sent() const noexcept { return false; }
  // While there is no connection yet: which step of making one is under way, such as "connecting to HOST:PORT at
  // ADDRESS"; empty otherwise.
  virtual std::string connecting() const { return {}; }
  // WebSocket only: how many of the messages that were queued, the newest ones, the peer has seen no byte of, since
  // their writing has not begun. Stays so after the end.
  virtual std::size_t unsent() const noexcept { return 0; }
  // WebSocket only: sends one message as one frame; text must be UTF-8. About 1 MiB is queued, or one larger message.
  // `written`, unless empty, is called later, once the message has been passed to the operating system; not when the
  // exchange ends before. A message that is not queued leaves it as it is. Throws std::bad_alloc; the exchange has then
  // ended without a call of the observer.
  virtual SendStatus send(std::string_view /*message*/, MessageType /*type*/, std::function<void()>&& /*written*/) {
    return SendStatus::closed;
  }
  // Reads no more of the connection than what has been read already, which may still be delivered; the peer is held up
  // once the buffers of both operating systems are full. Neither silence nor a missing pong is a failure meanwhile, and
  // the times of Request rest, but for those of a connection and of a close.
  virtual void pause() {}
  virtual void resume() {}
  // WebSocket only: sends a close frame after the queued messages. on_end comes with the peer's close frame, or after
  // Request::close_timeout; messages that arrive before are not delivered. `code`: 1000 or 3000 to 4999; `reason`:
  // UTF-8, up to 123 bytes.
  virtual void close(int /*code*/, std::string_view /*reason*/) {}
};

// The sockets, the TLS context and the credentials of one ConnectionSettings.
class Connection {
 public:
  virtual ~Connection() = default;
  // HTTP. No redirect is followed. Never calls the observer before it returned.
  virtual std::unique_ptr<Exchange> send(Request request, ExchangeObserver& observer) = 0;
  // A refused handshake is on_head with the server's status and headers (the body where it can be had), then on_end.
  virtual std::unique_ptr<Exchange> open_websocket(Request request, ExchangeObserver& observer) = 0;
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Fails at once on settings that can never work: a PEM that does not parse, a certificate without its key. Does no
  // I/O. The Connection may outlive the exchanges it made and the other way round.
  virtual Expected<std::shared_ptr<Connection>> connect(const ConnectionSettings& settings) = 0;
};

}  // namespace ksr::transport

// `wspp_callback_client` is cpprestsdk's websocket_callback_client over connections that a websocket_driver makes, in
// place of the one over websocketpp's Asio transport. That one ran an io_service on two threads for each client, waited
// up to ten seconds when destroyed, deadlocked when destroyed in its own handler, did not report the status of a
// refused handshake, copied each message into a stream, and did TLS itself. Here websocketpp is the protocol alone,
// without locks, log and sockets; the driver gets messages where they lie, reads a refused handshake itself, and
// abort() waits for nothing. Used by src/transport/websocket_exchange.cpp. Lives on the one thread that runs the shared
// io_service.
#include "stdafx.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <sys/random.h>

// As in the rest of cpprestsdk: std::error_code, not Boost's.
#define _WEBSOCKETPP_CPP11_SYSTEM_ERROR_
#include <websocketpp/client.hpp>
#include <websocketpp/concurrency/none.hpp>
#include <websocketpp/config/core_client.hpp>
#include <websocketpp/logger/stub.hpp>
#include <websocketpp/message_buffer/alloc.hpp>
#include <websocketpp/message_buffer/message.hpp>
#include <websocketpp/transport/driven/endpoint.hpp>

#include "cpprest/ws_client.h"

namespace web::websockets::client {
namespace details {
namespace {

// The frames that websocketpp may hold at a time: one message (send() hands over one at a time), a ping, a pong and
// close frames. Each may wait while others are being written.
constexpr std::size_t kMaxOutgoingFrames = 8;

// What is reserved for an incoming message, however many bytes the peer announces.
constexpr std::size_t kMaxReserved = 64 * 1024;

// Makes a connection's messages. Counts those to be sent: websocketpp acknowledges each close frame with an invalid
// code, and a peer that sends them without reading must not make its queue grow. Knows the one that is being received,
// so that what has come of it can be taken out before it is complete.
template <typename Message>
class bounded_messages : public std::enable_shared_from_this<bounded_messages<Message>> {
 public:
  using type = bounded_messages;
  using ptr = std::shared_ptr<bounded_messages>;
  using weak_ptr = std::weak_ptr<bounded_messages>;
  using message_ptr = typename Message::ptr;

  // A message to send; null when too many wait already.
  message_ptr get_message() {
    if (*outgoing_ >= kMaxOutgoingFrames) return nullptr;
    auto made = std::make_unique<Message>(this->shared_from_this());
    ++*outgoing_;
    return message_ptr(made.release(), [outgoing = outgoing_](Message* sent) {
      delete sent;
      --*outgoing;
    });
  }
  // A new message to receive into. For `continuation`, which begins none: the text or binary message that is being
  // received, or null.
  message_ptr get_message(websocketpp::frame::opcode::value op, std::size_t size) {
    if (op == websocketpp::frame::opcode::continuation) return received_.lock();
    auto made = std::make_shared<Message>(this->shared_from_this(), op, size < kMaxReserved ? size : kMaxReserved);
    if (!websocketpp::frame::opcode::is_control(op)) received_ = made;
    return made;
  }
  bool recycle(Message*) { return false; }

 private:
  std::weak_ptr<Message> received_;
  std::shared_ptr<std::size_t> outgoing_ = std::make_shared<std::size_t>(0);
};

// The operating system's random numbers, without state: websocketpp's own source holds 5 KB for each connection.
struct system_random {
  std::uint32_t operator()() const {
    std::uint32_t bits = 0;
    // At most 256 bytes are never cut short (getrandom(2)); only an interrupted wait for the first entropy is repeated.
    while (::getrandom(&bits, sizeof bits, 0) < 0 && errno == EINTR) {
    }
    return bits;
  }
};

struct driven_config : websocketpp::config::core_client {
  using type = driven_config;
  using message_type = websocketpp::message_buffer::message<bounded_messages>;
  using con_msg_manager_type = bounded_messages<message_type>;
  using endpoint_msg_manager_type = websocketpp::message_buffer::alloc::endpoint_msg_manager<con_msg_manager_type>;
  using concurrency_type = websocketpp::concurrency::none;
  using elog_type = websocketpp::log::stub;
  using alog_type = websocketpp::log::stub;
  using rng_type = system_random;
  [[maybe_unused]] static const bool enable_multithreading = false;
  struct transport_config {
    using concurrency_type = type::concurrency_type;
    using elog_type = type::elog_type;
    using alog_type = type::alog_type;
  };
  using transport_type = websocketpp::transport::driven::endpoint<transport_config>;
  static const std::size_t connection_read_buffer_size = 64 * 1024;
  // The driver keeps the time.
  static const long timeout_open_handshake = 0;
  static const long timeout_close_handshake = 0;
  static const long timeout_pong = 0;
};

using endpoint = websocketpp::client<driven_config>;
using connection = endpoint::connection_type;

// The close handshake is under way: begun by the peer, by us, or because the peer violated the protocol.
void report_closing(connection& con, websocket_driver& driver, bool closed_by_us) {
  if (con.get_state() != websocketpp::session::state::closing) return;
  if (con.get_remote_close_code() != websocketpp::close::status::abnormal_close) {
    driver.closed(con.get_remote_close_code(), con.get_remote_close_reason());
  } else if (!closed_by_us && con.get_local_close_code() == websocketpp::close::status::message_too_big) {
    driver.frame_too_large();
  } else if (!closed_by_us) {
    driver.protocol_violated(con.get_local_close_reason());
  }
}

// Passes on what has come of a message that is not complete, so that its size is the receiver's to bound.
void take_part(connection& con, websocket_driver& driver) {
  const auto message = con.get_message(websocketpp::frame::opcode::continuation, 0);
  if (!message || message->get_payload().empty()) return;
  // Once the connection is closing, no message is delivered.
  if (con.get_state() == websocketpp::session::state::open) driver.message_part(message->get_payload());
  message->get_raw_payload().clear();
}

void report_end(connection& con, websocket_driver& driver) {
  if (con.get_stream_error()) {
    driver.stream_failed(con.get_stream_error(), false);
  } else {
    driver.protocol_violated(con.get_ec().message());
  }
}

// A message body that lies in memory, as all of ksr's do.
std::string bytes_of(concurrency::streams::streambuf<std::uint8_t> body, std::size_t size) {
  std::string bytes(size == SIZE_MAX ? body.in_avail() : size, '\0');
  const std::size_t copied =
      bytes.empty() ? 0 : body.scopy(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  if (copied != bytes.size()) throw websocket_exception("a message to send must lie in memory as a whole");
  return bytes;
}

}  // namespace

// Of the name that websocket_outgoing_message has as its friend.
class wspp_callback_client final : public websocket_client_callback_impl,
                                   public std::enable_shared_from_this<wspp_callback_client> {
 public:
  explicit wspp_callback_client(websocket_client_config config) : websocket_client_callback_impl(std::move(config)) {}
  ~wspp_callback_client() override { abort(); }

  pplx::task<void> connect() override {
    const auto driver = m_config.driver();
    if (!driver) return pplx::task_from_exception<void>(websocket_exception("a websocket needs a connection driver"));
    driver->connect([weak = weak_from_this()](std::shared_ptr<connected_stream> stream) {
      const auto self = weak.lock();
      if (self) return self->start(std::move(stream));
      stream->close();
    });
    return pplx::create_task(connected_);
  }

  // With a payload that the peer cannot know unless it reads it.
  bool ping() override {
    if (!con_) return false;
    std::string payload;
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t bits = system_random()();
      for (int shift = 0; shift < 32; shift += 8) payload += static_cast<char>((bits >> shift) & 0xff);
    }
    websocketpp::lib::error_code failed;
    con_->ping(payload, failed);
    if (failed) return false;
    awaited_pong_ = std::move(payload);
    return true;
  }

  void abort() noexcept override {
    if (con_) con_->abandon();
  }

  pplx::task<void> close() override { return close(websocket_close_status::normal, {}); }

  // After the messages that wait to be sent. The task completes when the driver reports the end, if ever.
  pplx::task<void> close(websocket_close_status status, const utility::string_t& reason) override {
    if (con_ && !closing_) {
      closing_ = {static_cast<websocketpp::close::status::value>(status), reason};
      send_next();
    }
    return pplx::create_task(closed_);
  }

  // Text or binary, one frame each. The caller bounds what waits: the driver is called with sent() for each message.
  pplx::task<void> send(websocket_outgoing_message& message) override {
    if (!con_ || closing_) return pplx::task_from_exception<void>(websocket_exception("the WebSocket is not open"));
    const bool binary = message.m_msg_type == websocket_message_type::binary_message;
    outgoing_.push_back({bytes_of(message.m_body, message.m_length),
                         binary ? websocketpp::frame::opcode::binary : websocketpp::frame::opcode::text,
                         {}});
    const auto written = pplx::create_task(outgoing_.back().written);
    send_next();
    return written;
  }

  // The driver receives both.
  void set_message_handler(const std::function<void(const websocket_incoming_message&)>&) override {}
  void set_close_handler(
      const std::function<void(websocket_close_status, const utility::string_t&, const std::error_code&)>&) override {}

 private:
  struct outgoing {
    std::string payload;
    websocketpp::frame::opcode::value opcode;
    pplx::task_completion_event<void> written;
  };
  struct closing {
    websocketpp::close::status::value code;
    std::string reason;
  };

  void start(std::shared_ptr<connected_stream> stream) {
    const auto driver = m_config.driver();
    endpoint_.set_user_agent("");
    const bool secure = m_uri.scheme() == "wss";
    const int default_port = secure ? 443 : 80;
    const int port = m_uri.port() > 0 ? m_uri.port() : default_port;
    // The port is part of the name: websocketpp would write it in the host's locale, with thousands separators.
    const std::string host = m_uri.host() + (port == default_port ? "" : ":" + std::to_string(port));
    const auto location = websocketpp::lib::make_shared<websocketpp::uri>(
        secure, host, static_cast<std::uint16_t>(default_port), m_uri.resource().to_string());
    websocketpp::lib::error_code failed;
    con_ = endpoint_.get_connection(location, failed);
    con_->set_max_message_size(m_config.max_message_size());
    con_->set_driver(driver);
    con_->set_stream(stream);
    set_handlers(*con_, driver);
    set_control_handlers(driver);
    driver->attached(std::move(stream));
    endpoint_.connect(con_);
  }

  void set_handlers(connection& con, const std::shared_ptr<websocket_driver>& driver) {
    using websocketpp::connection_hdl;
    con.set_after_read_handler([weak = weak_from_this(), &con, driver] {
      take_part(con, *driver);
      driver->drained();
      const auto self = weak.lock();
      report_closing(con, *driver, self && self->close_sent_);
    });
    con.set_open_handler([driver](connection_hdl) { driver->opened(); });
    con.set_message_handler([driver](connection_hdl, const endpoint::message_ptr& message) {
      driver->message(message->get_payload(), message->get_opcode() == websocketpp::frame::opcode::text);
    });
    con.set_fail_handler([&con, driver](connection_hdl) { report_end(con, *driver); });
    con.set_close_handler([&con, driver](connection_hdl) { report_end(con, *driver); });
  }

  void set_control_handlers(const std::shared_ptr<websocket_driver>& driver) {
    using websocketpp::connection_hdl;
    con_->set_ping_handler([weak = weak_from_this()](connection_hdl, const std::string& payload) {
      if (const auto self = weak.lock()) {
        self->unanswered_ping_ = payload;
        self->send_next();
      }
      return false;
    });
    con_->set_after_write_handler([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->write_ended();
    });
    con_->set_pong_handler([weak = weak_from_this(), driver](connection_hdl, const std::string& payload) {
      const auto self = weak.lock();
      // RFC 6455, section 5.5.3: an unsolicited pong is no answer.
      if (!self || !self->awaited_pong_ || *self->awaited_pong_ != payload) return;
      self->awaited_pong_.reset();
      driver->pong();
    });
  }

  void write_ended() {
    if (message_in_flight_) {
      const auto written = *std::exchange(message_in_flight_, std::nullopt);
      written.set();
      const auto self = shared_from_this();
      m_config.driver()->sent();
    }
    send_next();
  }

  // What waits for the end of a write: a pong first, then one message, then the close frame.
  void send_next() {
    send_pong();
    websocketpp::lib::error_code failed;
    // Once the connection is closing, no message can follow.
    if (con_->get_state() != websocketpp::session::state::open) outgoing_.clear();
    if (!outgoing_.empty() && !con_->is_writing()) {
      const outgoing next = std::move(outgoing_.front());
      outgoing_.pop_front();
      message_in_flight_ = next.written;
      m_config.driver()->sending();
      failed = con_->send(next.payload, next.opcode);
      if (failed) {
        message_in_flight_.reset();
        outgoing_.clear();
      }
    }
    if (closing_ && !close_sent_ && outgoing_.empty() && !message_in_flight_) {
      close_sent_ = true;
      con_->close(closing_->code, closing_->reason, failed);
    }
  }

  // RFC 6455, section 5.5.3: of the pings that came while others are being written, only the last one is answered. So
  // a peer that sends pings and does not read costs one payload, not one for each ping.
  void send_pong() {
    if (!unanswered_ping_ || con_->is_writing()) return;
    const std::string payload = *std::exchange(unanswered_ping_, std::nullopt);
    websocketpp::lib::error_code failed;
    // It fails only when the connection is closing, and nothing is to be answered any more.
    con_->pong(payload, failed);
  }

  pplx::task_completion_event<void> connected_;
  pplx::task_completion_event<void> closed_;
  endpoint endpoint_;
  endpoint::connection_ptr con_;
  // The payload of the last ping sent, until its pong came.
  std::optional<std::string> awaited_pong_;
  // The payload of the last ping received, until its pong is on its way.
  std::optional<std::string> unanswered_ping_;
  // Messages that wait, oldest first, without the one in flight.
  std::list<outgoing> outgoing_;
  std::optional<pplx::task_completion_event<void>> message_in_flight_;
  std::optional<closing> closing_;
  bool close_sent_ = false;
};

websocket_client_task_impl::websocket_client_task_impl(websocket_client_config config)
    : m_client_closed(false), m_callback_client(std::make_shared<wspp_callback_client>(std::move(config))) {
  set_handler();
}

}  // namespace details

websocket_callback_client::websocket_callback_client() : websocket_callback_client(websocket_client_config()) {}

websocket_callback_client::websocket_callback_client(websocket_client_config config)
    : m_client(std::make_shared<details::wspp_callback_client>(std::move(config))) {}

}  // namespace web::websockets::client

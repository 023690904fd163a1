// `TlsStream` is TLS over a connected socket; used by Dial and the exchanges. OpenSSL reads from the socket itself, as
// many records as there are at a time: through Asio's ssl::stream each record would cost two more copies, a read of the
// socket and a wait of its own. Lives on the network thread. At most one read and one write are under way at a time;
// each holds the stream.
#pragma once

#include <cpprest/details/connection_driver.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "transport/exit_guard.hpp"

namespace ksr::transport {

class TlsStream final : public web::connected_stream, public std::enable_shared_from_this<TlsStream>, private TlsUser {
 public:
  // Ready for the handshake, as a client, with the server of this name. Throws std::bad_alloc.
  static std::shared_ptr<TlsStream> create(boost::asio::ip::tcp::socket socket, SSL_CTX* context,
                                           std::string server_name);
  // The one whose ssl() it is.
  static TlsStream* of(const SSL* ssl) noexcept { return static_cast<TlsStream*>(SSL_get_app_data(ssl)); }
  ~TlsStream() override;

  using HandshakeHandler = std::function<void(const boost::system::error_code&)>;
  // Calls `done` later, once.
  void handshake(HandshakeHandler done);
  void read_some(void* data, std::size_t size, handler done) override;
  void write_all(std::string data, handler done) override;
  bool at_rest() noexcept override;
  void close() noexcept override;
  int native_handle() noexcept override { return socket_.native_handle(); }

  SSL* ssl() const noexcept { return ssl_.get(); }
  // The name that the server's certificate must have.
  const std::string& server_name() const noexcept { return server_name_; }
  // Of a server whose certificate has other names: a text that says which.
  const std::string& names_of_server() const noexcept { return names_of_server_; }
  void set_names_of_server(std::string text) noexcept { names_of_server_ = std::move(text); }
  // Whether what came began as a response of HTTP without TLS does.
  bool was_answered_in_http() const noexcept;

 private:
  using Error = boost::system::error_code;
  // What an operation does when it begins, and each time the socket has become ready.
  using Step = void (TlsStream::*)(const Error& woken);

  struct FreeSsl {
    void operator()(SSL* ssl) const noexcept {
      const TlsUse use;
      use ? SSL_free(ssl) : keep_unreleased(ssl);
    }
  };
  struct Reading {
    char* data = nullptr;
    std::size_t size = 0;
    handler done;
  };
  struct Writing {
    std::string data;
    handler done;
  };

  TlsStream(boost::asio::ip::tcp::socket socket, std::string server_name)
      : socket_(std::move(socket)), server_name_(std::move(server_name)), quiet_timer_(socket_.get_executor()) {}
  void abort() noexcept override { close(); }

  void do_handshake(const Error& woken);
  void read(const Error& woken);
  void write(const Error& woken);
  void end_read(const Error& error, std::size_t size);
  void later(Step step);
  void when_ready(boost::asio::ip::tcp::socket::wait_type what, Step step);
  void take(Step step, const Error& woken);
  template <class Start>
  void begin(Step step, const Start& start);
  // True: `error` or `size` says how the read has ended.
  bool read_records(Error& error, std::size_t& size);
  void rest(std::size_t moved) noexcept;
  bool is_busy(std::size_t moved) noexcept;
  void release_when_quiet();
  void release_buffers() noexcept;
  // True: the operation could not go on yet, and `step` is taken again when it can.
  bool waits(int result, Step step);
  Error failure(int result) const;
  bool usable(const TlsUse& use, const Error& woken, Error& error) const noexcept;

  static BIO_METHOD* socket_bio();
  static int receive(BIO* bio, char* data, int size);
  static int send(BIO* bio, const char* data, int size);
  static long control(BIO* bio, int command, long number, void* pointer);
  int record_errno(BIO* bio, ssize_t moved);
  void note_beginning(std::string_view came) noexcept;

  boost::asio::ip::tcp::socket socket_;
  const std::string server_name_;
  std::string names_of_server_;
  // What came first.
  std::array<char, 5> beginning_{};
  std::size_t beginning_size_ = 0;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  // The errno of the last call on the socket, and whether the peer has closed its side.
  int errno_ = 0;
  bool at_end_ = false;
  // Came after data that had to be delivered first.
  Error pending_error_;
  // Set while OpenSSL's buffers are kept, and whether the connection has been busy since it was.
  boost::asio::steady_timer quiet_timer_;
  bool is_timing_ = false;
  bool was_busy_ = false;
  // Reads and writes since counted_since_.
  std::size_t moves_ = 0;
  std::chrono::steady_clock::time_point counted_since_{};
  // The last read took all that there was. The handshake may have read more than its own records.
  bool drained_ = false;
  // The last call on the socket brought less than was asked for.
  bool socket_emptied_ = false;
  HandshakeHandler handshake_handler_;
  Reading reading_;
  Writing writing_;
};

}  // namespace ksr::transport

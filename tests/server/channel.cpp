#include "server/channel.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace ksr::testserver {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

void shut(tcp::socket& socket, bool reset) {
  error_code ignored;
  if (reset) socket.set_option(boost::asio::socket_base::linger(true, 0), ignored);
  if (!reset) socket.shutdown(tcp::socket::shutdown_both, ignored);
  socket.close(ignored);
}

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(tcp::socket socket) : socket_(std::move(socket)) {}
  void handshake(std::function<void(const error_code&)> done) override { done({}); }
  void read(boost::asio::mutable_buffer space, Done done) override { socket_.async_read_some(space, std::move(done)); }
  void write(boost::asio::const_buffer bytes, Done done) override {
    boost::asio::async_write(socket_, bytes, std::move(done));
  }
  std::string client_name() const override { return {}; }
  void close(bool reset) override { shut(socket_, reset); }

 private:
  tcp::socket socket_;
};

class TlsChannel final : public Channel {
 public:
  TlsChannel(tcp::socket socket, boost::asio::ssl::context& context) : stream_(std::move(socket), context) {}
  void handshake(std::function<void(const error_code&)> done) override {
    stream_.async_handshake(boost::asio::ssl::stream_base::server, std::move(done));
  }
  void read(boost::asio::mutable_buffer space, Done done) override { stream_.async_read_some(space, std::move(done)); }
  void write(boost::asio::const_buffer bytes, Done done) override {
    boost::asio::async_write(stream_, bytes, std::move(done));
  }
  std::string client_name() const override {
    auto* certificate = SSL_get1_peer_certificate(const_cast<TlsChannel*>(this)->stream_.native_handle());
    if (certificate == nullptr) return {};
    char name[256] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return name;
  }
  void close(bool reset) override { shut(stream_.next_layer(), reset); }

 private:
  boost::asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<Channel> Channel::plain(tcp::socket socket) {
  return std::make_unique<PlainChannel>(std::move(socket));
}

std::unique_ptr<Channel> Channel::tls(tcp::socket socket, boost::asio::ssl::context& context) {
  return std::make_unique<TlsChannel>(std::move(socket), context);
}

}  // namespace ksr::testserver

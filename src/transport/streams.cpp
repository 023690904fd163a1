#include "transport/streams.hpp"

#include <boost/asio/write.hpp>
#include <utility>

namespace ksr::transport {
namespace {

// `Layer` is a socket, or TLS over one. Operations hold the stream, so that it may be closed and let go at any time.
template <class Owner>
class Stream : public web::connected_stream, public std::enable_shared_from_this<Stream<Owner>> {
 public:
  explicit Stream(Owner layer) : layer_(std::move(layer)) {}

  void read_some(void* data, std::size_t size, handler done) override {
    layer_->async_read_some(boost::asio::buffer(data, size),
                            [self = this->shared_from_this(), done = std::move(done)](
                                const boost::system::error_code& ec, std::size_t read) { done(ec, read); });
  }

  void write_all(std::string data, handler done) override {
    auto owned = std::make_shared<const std::string>(std::move(data));
    boost::asio::async_write(*layer_, boost::asio::buffer(*owned),
                             [self = this->shared_from_this(), owned, done = std::move(done)](
                                 const boost::system::error_code& ec, std::size_t written) { done(ec, written); });
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    layer_->lowest_layer().close(ignored);
  }

 private:
  const Owner layer_;
};

class TlsStream final : public Stream<TlsContext::Stream>, private TlsUser {
 public:
  using Stream::Stream;

 private:
  void cut() noexcept override { close(); }
};

}  // namespace

std::shared_ptr<web::connected_stream> plain_stream(boost::asio::ip::tcp::socket socket) {
  using Socket = boost::asio::ip::tcp::socket;
  return std::make_shared<Stream<std::unique_ptr<Socket>>>(std::make_unique<Socket>(std::move(socket)));
}

std::shared_ptr<web::connected_stream> tls_stream(TlsContext::Stream stream) {
  return std::make_shared<TlsStream>(std::move(stream));
}

}  // namespace ksr::transport

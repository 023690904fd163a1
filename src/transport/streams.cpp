#include "transport/streams.hpp"

#include <boost/asio/write.hpp>
#include <utility>

namespace ksr::transport {
namespace {

// Operations hold the stream, so that it may be closed and let go at any time.
class PlainStream final : public web::connected_stream, public std::enable_shared_from_this<PlainStream> {
 public:
  explicit PlainStream(boost::asio::ip::tcp::socket socket) : socket_(std::move(socket)) {}

  void read_some(void* data, std::size_t size, handler done) override {
    socket_.async_read_some(boost::asio::buffer(data, size),
                            [self = shared_from_this(), done = std::move(done)](const boost::system::error_code& ec,
                                                                                std::size_t read) { done(ec, read); });
  }

  void write_all(std::string data, handler done) override {
    auto owned = std::make_shared<const std::string>(std::move(data));
    boost::asio::async_write(socket_, boost::asio::buffer(*owned),
                             [self = shared_from_this(), owned, done = std::move(done)](
                                 const boost::system::error_code& ec, std::size_t written) { done(ec, written); });
  }

  void close() noexcept override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

 private:
  boost::asio::ip::tcp::socket socket_;
};

}  // namespace

std::shared_ptr<web::connected_stream> plain_stream(boost::asio::ip::tcp::socket socket) {
  return std::make_shared<PlainStream>(std::move(socket));
}

}  // namespace ksr::transport

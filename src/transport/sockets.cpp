#include "transport/sockets.hpp"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "base/standard_descriptors.hpp"
#include "transport/io_service.hpp"

namespace ksr::transport {
namespace {

constexpr int kSecondsBeforeProbing = 15;
constexpr int kSecondsBetweenProbes = 5;
constexpr int kProbes = 3;
constexpr int kMillisecondsUnacknowledged = 30'000;

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

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

  bool at_rest() noexcept override { return nothing_to_read(socket_.native_handle()); }

  void close() noexcept override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

  int native_handle() noexcept override { return socket_.native_handle(); }

 private:
  boost::asio::ip::tcp::socket socket_;
};

}  // namespace

bool nothing_to_read(int fd) noexcept {
  char byte;
  return ::recv(fd, &byte, sizeof byte, MSG_PEEK | MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

OpenedSocket open_socket(const boost::asio::ip::tcp::endpoint& peer) {
  const StandardDescriptorsReserved reserved;
  // Made first: Asio may have no descriptors for its reactor.
  std::optional<boost::asio::ip::tcp::socket> socket;
  try {
    socket.emplace(io_service());
  } catch (const boost::system::system_error& failure) {
    return failure.code();
  }
  // Asio opens its sockets without SOCK_CLOEXEC: a program that the host starts at that moment would inherit them.
  const int fd = ::socket(peer.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return boost::system::error_code(errno, boost::system::system_category());
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kSecondsBeforeProbing);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kSecondsBetweenProbes);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kMillisecondsUnacknowledged);
  boost::system::error_code failed;
  socket->assign(peer.protocol(), fd, failed);
  if (failed) {
    ::close(fd);
    return failed;
  }
  return *std::move(socket);
}

void wait_for_slow_reader(int fd) noexcept {
  if (fd >= 0) set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
}

bool acknowledges(int fd, Milliseconds limit) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return true;
  int outstanding = 0;
  if (ioctl(fd, SIOCOUTQ, &outstanding) != 0 || outstanding == 0) return true;
  if (Milliseconds(info.tcpi_last_ack_recv) < limit) return true;
  // While the window is zero nothing is in flight but probes, with up to two minutes between them.
  return info.tcpi_unacked == 0 && info.tcpi_probes < kProbes;
}

std::shared_ptr<web::connected_stream> plain_stream(boost::asio::ip::tcp::socket socket) {
  return std::make_shared<PlainStream>(std::move(socket));
}

}  // namespace ksr::transport

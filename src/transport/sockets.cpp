#include "transport/sockets.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "transport/io_service.hpp"

namespace ksr::transport {
namespace {

constexpr int seconds_before_probing = 15;
constexpr int seconds_between_probes = 5;
constexpr int probes = 3;
constexpr int milliseconds_unacknowledged = 30'000;

void set(int fd, int level, int option, int value) {
  setsockopt(fd, level, option, &value, sizeof value);
}

}  // namespace

OpenedSocket open_socket(const boost::asio::ip::tcp::endpoint& peer) {
  // Asio opens its sockets without SOCK_CLOEXEC: a program that the host starts at that moment would inherit them.
  const int fd = ::socket(peer.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return boost::system::error_code(errno, boost::system::system_category());
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds_before_probing);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds_between_probes);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, probes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, milliseconds_unacknowledged);
  boost::asio::ip::tcp::socket socket(io_service());
  boost::system::error_code failed;
  socket.assign(peer.protocol(), fd, failed);
  if (failed) {
    ::close(fd);
    return failed;
  }
  return socket;
}

}  // namespace ksr::transport

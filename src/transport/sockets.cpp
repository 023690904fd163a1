#include "transport/sockets.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

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

}  // namespace

OpenedSocket open_socket(const boost::asio::ip::tcp::endpoint& peer) {
  // Asio opens its sockets without SOCK_CLOEXEC: a program that the host starts at that moment would inherit them.
  const int fd = ::socket(peer.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return boost::system::error_code(errno, boost::system::system_category());
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, kSecondsBeforeProbing);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, kSecondsBetweenProbes);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kMillisecondsUnacknowledged);
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

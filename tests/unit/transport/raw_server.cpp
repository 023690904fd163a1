#include "unit/transport/raw_server.hpp"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <stdexcept>
#include <utility>

namespace test {
namespace {

int listen_on(const std::string& host, int& port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  const int fd = ::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (ipv6) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET6, host.c_str(), &address.sin6_addr);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind " + host);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin6_port);
  } else {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    ::inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    socklen_t size = sizeof address;
    if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind " + host);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  if (::listen(fd, 64) != 0) throw std::runtime_error("listen");
  return fd;
}

}  // namespace

Peer::~Peer() {
  if (ssl_ != nullptr) SSL_free(ssl_);
}

bool Peer::start_tls(ssl_ctx_st* context) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  const bool accepted = SSL_accept(ssl_) == 1;
  const char* name = SSL_get_servername(ssl_, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) sni_ = name;
  return accepted;
}

bool Peer::send(const std::string& bytes) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const char* data = bytes.data() + sent;
    const std::size_t left = bytes.size() - sent;
    const auto count = ssl_ != nullptr ? static_cast<ssize_t>(SSL_write(ssl_, data, static_cast<int>(left)))
                                       : ::send(fd_, data, left, MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent += static_cast<std::size_t>(count);
  }
  return true;
}

std::string Peer::receive() {
  if (!kept_.empty()) return std::exchange(kept_, {});
  std::string bytes(65536, '\0');
  const auto count = ssl_ != nullptr
                         ? static_cast<ssize_t>(SSL_read(ssl_, bytes.data(), static_cast<int>(bytes.size())))
                         : ::recv(fd_, bytes.data(), bytes.size(), 0);
  bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return bytes;
}

std::string Peer::receive_until(const std::string& end) {
  std::string text;
  for (;;) {
    const std::string more = receive();
    text += more;
    const auto found = text.find(end);
    if (found != std::string::npos) {
      kept_ = text.substr(found + end.size());
      text.resize(found + end.size());
      return text;
    }
    if (more.empty()) return text;
  }
}

std::string Peer::receive_exactly(std::size_t size) {
  std::string text;
  while (text.size() < size) {
    const std::string more = receive();
    if (more.empty()) return text;
    text += more;
  }
  // Nothing was received for an empty payload, and what is kept stays.
  if (size == 0) return text;
  kept_ = text.substr(size);
  text.resize(size);
  return text;
}

void Peer::wait_for_close() {
  while (!receive().empty()) {
  }
}

void Peer::reset() {
  const linger at_once{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void Peer::shut_down() {
  if (ssl_ != nullptr) SSL_shutdown(ssl_);
  ::shutdown(fd_, SHUT_WR);
}

bool drop_all(int fd) {
  std::array<sock_filter, 1> drop{{{BPF_RET | BPF_K, 0, 0, 0}}};
  const sock_fprog program{static_cast<unsigned short>(drop.size()), drop.data()};
  return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

bool drop_nothing(int fd) {
  const int unused = 0;
  return ::setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused) == 0;
}

RawServer::RawServer(std::function<void(Peer&, int)> script, bool ipv6)
    : script_(std::move(script)), ipv6_(ipv6), listener_(listen_on(ipv6 ? "::1" : "127.0.0.1", port_)) {
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  for (std::thread& thread : threads_) thread.join();
}

void RawServer::accept_all() {
  // OpenSSL writes to its sockets without MSG_NOSIGNAL; these threads answer for themselves.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (fd < 0 || stopping_) {
      if (fd >= 0) ::close(fd);
      return;
    }
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    open_.push_back(fd);
    const int number = connections_++;
    threads_.emplace_back([this, fd, number] {
      {
        Peer peer(fd);
        script_(peer, number);
      }
      const std::lock_guard ending(mutex_);
      open_.erase(std::find(open_.begin(), open_.end(), fd));
      ::close(fd);
    });
  }
}

int closed_port() {
  int port = 0;
  ::close(listen_on("127.0.0.1", port));
  return port;
}

SilentAddress::SilentAddress(const std::string& address, int port) : fd_(-1), port_(port) {
  fd_ = listen_on(address, port_);
  if (!drop_all(fd_)) throw std::runtime_error("SO_ATTACH_FILTER");
}

SilentAddress::~SilentAddress() {
  ::close(fd_);
}

}  // namespace test

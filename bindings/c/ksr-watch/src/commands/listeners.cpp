#include "commands/listeners.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr::commands {
namespace {

constexpr int kBacklog = 128;
// A free port of the first address may be taken on the second one.
constexpr int kMaxTries = 20;

struct Address {
  std::string text;
  // One of the two of localhost, of which one suffices.
  bool of_localhost = false;
};

Expected<std::vector<Address>> read_addresses(const std::string& list) {
  std::vector<Address> addresses;
  for (const std::string_view part : split(list, ',')) {
    const std::string text(trimmed(part));
    in6_addr ignored{};
    if (text == "localhost") {
      addresses.push_back({"127.0.0.1", true});
      addresses.push_back({"::1", true});
    } else if (inet_pton(AF_INET, text.c_str(), &ignored) == 1 || inet_pton(AF_INET6, text.c_str(), &ignored) == 1) {
      addresses.push_back({text, false});
    } else {
      return Error{Status::invalid, "--address: expected localhost or an IP address in place of " + in_quotes(text)};
    }
  }
  return addresses;
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const std::string& text, std::uint16_t port) {
  SocketAddress address;
  sockaddr_in v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&address.storage, &v4, sizeof v4);
    address.size = sizeof v4;
    return address;
  }
  sockaddr_in6 v6{};
  inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  std::memcpy(&address.storage, &v6, sizeof v6);
  address.size = sizeof v6;
  return address;
}

std::uint16_t bound_port(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(fd, address.get(), &address.size) != 0) return 0;
  if (address.storage.ss_family == AF_INET) {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
}

// The errno, or 0.
int open_listener(const std::string& text, std::uint16_t port, Listener& listener) {
  SocketAddress address = socket_address(text, port);
  const int family = address.storage.ss_family;
  listener.socket = Descriptor(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = listener.socket.get();
  if (fd < 0) return errno;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (bind(fd, address.get(), address.size) != 0 || listen(fd, kBacklog) != 0) return errno;
  listener.port = bound_port(fd);
  listener.shown = (family == AF_INET6 ? "[" + text + "]" : text) + ":" + std::to_string(listener.port);
  return 0;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Expected<std::vector<Listener>> listen_on(const std::string& list, std::uint16_t port) {
  const Expected<std::vector<Address>> addresses = read_addresses(list);
  if (!addresses) return addresses.error();
  for (int tries = 0;; ++tries) {
    std::vector<Listener> listeners;
    std::optional<Error> error;
    bool again = false;
    for (const Address& address : *addresses) {
      const std::uint16_t wanted = port == 0 && !listeners.empty() ? listeners.front().port : port;
      Listener listener;
      const int failure = open_listener(address.text, wanted, listener);
      if (failure == 0) {
        listeners.push_back(std::move(listener));
        continue;
      }
      again = failure == EADDRINUSE && port == 0 && tries < kMaxTries;
      if (again) break;
      const Error problem{Status::transport, "unable to listen on " + address.text + " port " + std::to_string(wanted) +
                                                 ": " + std::strerror(failure)};
      if (!address.of_localhost) return problem;
      if (!error) error = problem;
    }
    if (again) continue;
    // As kubectl does: it serves what can be listened on.
    return listeners.empty() ? Expected<std::vector<Listener>>(*error) : std::move(listeners);
  }
}

}  // namespace ksr::commands

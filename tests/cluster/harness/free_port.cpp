#include "cluster/harness/free_port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <random>
#include <set>

#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {
namespace {

constexpr int kLowest = 20000;
constexpr int kHighest = 32000;  // Linux's default ip_local_port_range begins at 32768
constexpr int kAttempts = 200;

bool can_bind(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return bound;
}

}  // namespace

std::uint16_t free_port() {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  static std::set<std::uint16_t> handed_out;  // a port given to a server that has not bound it yet looks free
  std::random_device seed;
  std::uniform_int_distribution<int> any(kLowest, kHighest);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto port = static_cast<std::uint16_t>(any(seed));
    if (can_bind(port) && handed_out.insert(port).second) return port;
  }
  throw HarnessError("no free loopback port between 20000 and 32000");
}

}  // namespace ksr::clustertest

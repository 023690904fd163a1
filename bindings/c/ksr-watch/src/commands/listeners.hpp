// `Listener` accepts connections on a port of this machine; used by port-forward. Main thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/expected.hpp"

namespace ksr::commands {

// A descriptor that is closed with it.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

struct Listener {
  Descriptor socket;
  // "127.0.0.1:8080", "[::1]:8080"
  std::string shown;
  std::uint16_t port = 0;
};

// --address: "localhost" and IP addresses, with commas between them. Port 0: one that is free, the same on all of them.
// Status::transport where they cannot be bound.
Expected<std::vector<Listener>> listen_on(const std::string& addresses, std::uint16_t port);

}  // namespace ksr::commands

// When a connection whose peer may rest is dead: data waits, and no acknowledgement comes.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>

#include "support/emulator.hpp"
#include "transport/sockets.hpp"
#include "unit/transport/raw_server.hpp"

using namespace ksr;
using namespace ksr::transport;

namespace {

constexpr Milliseconds kLimit{200};

// Two ends of a TCP connection over the loopback interface.
class Ends {
 public:
  Ends() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ours = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(ours, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    peer = ::accept(listener, nullptr, nullptr);
    REQUIRE(peer >= 0);
    ::close(listener);
  }
  ~Ends() {
    ::close(ours);
    ::close(peer);
  }
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;

  void send(const std::string& bytes) const { ::send(ours, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL); }
  // At most 10 s.
  bool becomes_silent() const {
    for (int i = 0; i < 1'000 && acknowledges(ours, kLimit); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return !acknowledges(ours, kLimit);
  }

  int ours = -1;
  int peer = -1;
};

void wait_beyond_the_limit() {
  std::this_thread::sleep_for(3 * kLimit);
}

}  // namespace

TEST_CASE("a peer that is gone does not acknowledge what was sent") {
  if (ksr::testing::under_emulator()) return;
  const Ends ends;
  REQUIRE(test::drop_all(ends.peer));
  // Nothing waits for an acknowledgement.
  wait_beyond_the_limit();
  CHECK(acknowledges(ends.ours, kLimit));
  ends.send("text");
  CHECK(ends.becomes_silent());
  // Longer than that it has not been silent.
  CHECK(acknowledges(ends.ours, std::chrono::minutes(10)));
}

TEST_CASE("a peer that reads nothing is alive: its window is zero, and it acknowledges the probes") {
  const Ends ends;
  const std::string much(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 16; ++i) ends.send(much);
  wait_beyond_the_limit();
  CHECK(acknowledges(ends.ours, kLimit));
  // Nothing that was sent is without its acknowledgement.
  CHECK(acknowledges(ends.ours, Milliseconds(0)));
}

TEST_CASE("an idle connection, and one that is none") {
  const Ends ends;
  ends.send("text");
  wait_beyond_the_limit();
  CHECK(acknowledges(ends.ours, kLimit));
  CHECK(acknowledges(-1, kLimit));
}

// `Control` starts the replay server's events and reads its state; used by the cases. On the main thread.
#pragma once

#include <cstdint>
#include <string>

namespace ksr::bench {

struct ServerState {
  std::uint64_t objects = 0;
  std::uint64_t goal = 0;         // the resourceVersion of the last event asked for
  std::uint64_t version_sum = 0;  // of all objects
  std::uint64_t watchers = 0;
};

class Control {
 public:
  // `url` as http://127.0.0.1:PORT.
  explicit Control(const std::string& url);

  ServerState state() const;
  ServerState go(std::uint64_t events, std::uint64_t rate = 0, std::uint64_t newest = 0) const;

  // A socket on which that request was sent; the caller closes it.
  int open(const std::string& request) const;

  void wait_for_watchers(std::uint64_t count) const;

 private:
  ServerState ask(const std::string& path) const;

  std::uint16_t port_;
};

}  // namespace ksr::bench

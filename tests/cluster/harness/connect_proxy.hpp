// An HTTP proxy on 127.0.0.1 that makes tunnels (CONNECT), as the ones do that stand at the edge of a company's
// network. It runs on a thread of its own; its functions may be called on any thread and take effect before they
// return.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ksr::clustertest {

class ConnectProxy {
 public:
  // With a user only who sends these credentials gets a tunnel; the others get 407.
  explicit ConnectProxy(std::string user = "", std::string password = "");
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  std::uint16_t port() const;
  // http://[user:password@]127.0.0.1:PORT
  std::string url() const;
  // "127.0.0.1:6443", one for each tunnel made.
  std::vector<std::string> tunnels() const;
  std::uint64_t refused() const;
  // Resets all tunnels.
  void cut();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::clustertest

// `ConnectProxy` is an HTTP proxy on 127.0.0.1 that opens tunnels (CONNECT, RFC 9110, section 9.3.6), as corporate
// proxies do; used by the tests on a cluster and by cluster.kubectl.
// It has its own thread; its functions may be called on any other thread and take effect before they return.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ksr::clustertest {

class ConnectProxy {
 public:
  // With a user, only requests with these credentials get a tunnel; the others get 407.
  explicit ConnectProxy(std::string user = "", std::string password = "");
  ~ConnectProxy();
  ConnectProxy(const ConnectProxy&) = delete;
  ConnectProxy& operator=(const ConnectProxy&) = delete;

  std::uint16_t port() const;
  // http://[user:password@]127.0.0.1:PORT
  std::string url() const;
  // "127.0.0.1:6443", one for each tunnel opened.
  std::vector<std::string> tunnels() const;
  std::uint64_t refused() const;
  // Resets all tunnels.
  void cut();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ksr::clustertest

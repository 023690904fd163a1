// The server and proxy URLs of ConnectionSettings, taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr::transport {

struct ServerAddress {
  bool tls = false;
  // Without brackets.
  std::string host;
  std::uint16_t port = 0;
  // "" or "/prefix".
  std::string prefix;

  bool is_literal() const;
  // As in a Host header: brackets around IPv6, the port only where it is not the scheme's own.
  std::string authority() const;
  // With the port always.
  std::string host_port() const;
  std::string origin() const { return (tls ? "https://" : "http://") + authority(); }
};

struct ProxyAddress {
  std::string host;
  std::uint16_t port = 0;
  // The value of Proxy-Authorization, or empty. A secret.
  std::string authorization;

  std::string host_port() const;
};

Expected<ServerAddress> parse_server(std::string_view url);
// Messages never show the user and password.
Expected<ProxyAddress> parse_proxy(std::string_view url);

}  // namespace ksr::transport

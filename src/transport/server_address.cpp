#include "transport/server_address.hpp"

#include <boost/asio/ip/address.hpp>
#include <optional>

#include "base/base64.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

struct Authority {
  std::string userinfo;
  std::string host;
  std::optional<std::uint16_t> port;
};

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  if (digits.empty() || digits.size() > 5) return std::nullopt;
  unsigned value = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  if (value == 0 || value > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

bool is_ipv6(const std::string& text) {
  boost::system::error_code failed;
  boost::asio::ip::make_address_v6(text, failed);
  return !failed;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  for (const char c : text) {
    const bool fits =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    if (!fits) return false;
  }
  return true;
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    authority.userinfo = text.substr(0, at);
    text.remove_prefix(at + 1);
  }
  std::string_view rest;
  if (!text.empty() && text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    authority.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
    if (!is_ipv6(authority.host)) return std::nullopt;
  } else {
    const auto colon = text.find(':');
    authority.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
    if (!is_host_name(authority.host)) return std::nullopt;
  }
  if (rest.empty()) return authority;
  if (rest.front() != ':') return std::nullopt;
  authority.port = parse_port(rest.substr(1));
  return authority.port ? std::optional(authority) : std::nullopt;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

bool starts_with(std::string_view text, std::string_view head) {
  return text.substr(0, head.size()) == head;
}

Error bad_server(const std::string& reason) {
  return Error{Status::invalid, "server URL: " + reason + "; expected http://HOST[:PORT][/PREFIX] or https://…"};
}

Error bad_proxy(const std::string& reason) {
  return Error{Status::invalid, "proxy URL: " + reason + "; expected http://[USER:PASSWORD@]HOST:PORT"};
}

}  // namespace

bool ServerAddress::is_literal() const {
  boost::system::error_code failed;
  boost::asio::ip::make_address(host, failed);
  return !failed;
}

std::string ServerAddress::authority() const {
  return port == (tls ? 443 : 80) ? bracketed(host) : host_port();
}
std::string ServerAddress::host_port() const {
  return bracketed(host) + ":" + std::to_string(port);
}
std::string ProxyAddress::host_port() const {
  return bracketed(host) + ":" + std::to_string(port);
}

Expected<ServerAddress> parse_server(std::string_view url) {
  ServerAddress server;
  if (starts_with(url, "https://")) {
    server.tls = true;
    url.remove_prefix(8);
  } else if (starts_with(url, "http://")) {
    url.remove_prefix(7);
  } else {
    return bad_server("the scheme is neither http:// nor https://");
  }
  const auto slash = url.find_first_of("/?#");
  const auto authority = parse_authority(url.substr(0, slash));
  if (!authority) return bad_server("no valid host and port");
  if (!authority->userinfo.empty()) return bad_server("it holds a user name or password");
  if (slash != std::string_view::npos) server.prefix = url.substr(slash);
  while (!server.prefix.empty() && server.prefix.back() == '/') server.prefix.pop_back();
  if (!server.prefix.empty() && (server.prefix.find('?') != std::string::npos || !is_request_target(server.prefix))) {
    return bad_server("the path is not a percent-encoded path without a query");
  }
  server.host = authority->host;
  server.port = authority->port.value_or(server.tls ? 443 : 80);
  return server;
}

Expected<ProxyAddress> parse_proxy(std::string_view url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return bad_proxy("it has no scheme");
  if (url.substr(0, scheme_end) != "http") return bad_proxy("only http:// proxies are supported");
  url.remove_prefix(scheme_end + 3);
  if (!url.empty() && url.back() == '/') url.remove_suffix(1);
  const auto authority = parse_authority(url);
  if (!authority) return bad_proxy("no valid host and port");
  ProxyAddress proxy;
  proxy.host = authority->host;
  proxy.port = authority->port.value_or(80);
  if (!authority->userinfo.empty())
    proxy.authorization = "Basic " + base64_encode(percent_decoded(authority->userinfo));
  return proxy;
}

}  // namespace ksr::transport

#include "cluster/proxy_environment.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

// Both families in sixteen bytes, IPv4 as ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;

std::optional<std::pair<Address, bool>> parse_address(const std::string& text) {
  Address address{};
  if (::inet_pton(AF_INET6, text.c_str(), address.data()) == 1) return std::pair(address, false);
  address = {};
  address[10] = address[11] = 0xff;
  if (::inet_pton(AF_INET, text.c_str(), address.data() + 12) == 1) return std::pair(address, true);
  return std::nullopt;
}

bool same_prefix(const Address& a, const Address& b, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const auto byte = static_cast<std::size_t>(bit / 8);
    const int mask = 0x80 >> (bit % 8);
    if ((a[byte] & mask) != (b[byte] & mask)) return false;
  }
  return true;
}

bool in_block(const Address& address, std::string_view block) {
  const std::size_t slash = block.find('/');
  const auto network = parse_address(std::string(block.substr(0, slash)));
  const std::string_view digits = block.substr(slash + 1);
  const bool numeric = !digits.empty() && digits.size() < 4 &&
                       std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!network || !numeric) return false;
  const int bits = std::stoi(std::string(digits)) + (network->second ? 96 : 0);
  return bits <= 128 && same_prefix(address, network->first, bits);
}

// "host:8443", "[::1]:8443": the port that an entry is limited to is cut off.
std::optional<std::string> cut_port(std::string& entry) {
  const std::size_t colon = entry.rfind(':');
  const bool bracketed = entry.front() == '[';
  if (bracketed && entry.back() == ']') {
    entry = entry.substr(1, entry.size() - 2);
    return std::nullopt;
  }
  if (colon == std::string::npos || (!bracketed && entry.find(':') != colon)) return std::nullopt;
  std::string port = entry.substr(colon + 1);
  entry.resize(colon);
  if (bracketed && entry.size() > 1) entry = entry.substr(1, entry.size() - 2);
  return port;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool matches(const Url& server, std::string entry) {
  if (entry == "*") return true;
  const auto address = parse_address(server.host);
  if (entry.find('/') != std::string::npos) return address && in_block(address->first, entry);
  const auto port = cut_port(entry);
  if (entry.empty() || (port && *port != std::to_string(server.port))) return false;
  if (const auto listed = parse_address(entry)) return address && listed->first == address->first;
  if (entry.rfind("*.", 0) == 0) entry.erase(0, 1);
  // ".example.com" is the subdomains alone, "example.com" the domain too.
  if (entry.front() == '.') return ends_with(server.host, entry);
  return server.host == entry || ends_with(server.host, "." + entry);
}

std::pair<std::string, const char*> first_set(const ProcessEnvironment& process_env, const char* upper,
                                              const char* lower) {
  for (const char* name : {upper, lower}) {
    if (auto value = process_env.variable(name); value && !value->empty()) return {*std::move(value), name};
  }
  return {"", upper};
}

}  // namespace

bool is_loopback(const Url& server) {
  if (server.host == "localhost") return true;
  const auto address = parse_address(server.host);
  return address && (in_block(address->first, "127.0.0.0/8") || in_block(address->first, "::1/128"));
}

bool bypasses_proxy(const Url& server, std::string_view no_proxy) {
  if (is_loopback(server)) return true;
  for (const std::string_view part : split(no_proxy, ',')) {
    const std::string entry = lower_case(trimmed(part));
    if (!entry.empty() && matches(server, entry)) return true;
  }
  return false;
}

ValueWithOrigin proxy_from_environment(const Url& server, const ProcessEnvironment& process_env) {
  const bool cgi = !process_env.variable("REQUEST_METHOD").value_or("").empty();
  // A CGI program's HTTP_PROXY is a header that the client chose (httpoxy).
  if (!server.secure() && cgi) return {};
  auto [proxy, name] = server.secure() ? first_set(process_env, "HTTPS_PROXY", "https_proxy")
                                       : first_set(process_env, "HTTP_PROXY", "http_proxy");
  if (proxy.empty()) return {};
  if (bypasses_proxy(server, first_set(process_env, "NO_PROXY", "no_proxy").first)) return {};
  if (proxy.find("://") == std::string::npos) proxy = "http://" + proxy;
  return {std::move(proxy), std::string("environment variable ") + name};
}

}  // namespace ksr::cluster

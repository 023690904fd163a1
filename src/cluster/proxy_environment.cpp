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

bool is_ipv4(const Address& address) {
  const Address mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(mapped.begin(), mapped.begin() + 12, address.begin());
}

Address masked(Address address, int bits) {
  for (int bit = bits; bit < 128; ++bit) {
    std::uint8_t& byte = address[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(byte & ~(0x80 >> (bit % 8)));
  }
  return address;
}

// Empty: it is not ADDRESS/BITS.
std::optional<std::pair<Address, int>> parse_block(std::string_view block) {
  const std::size_t slash = block.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = parse_address(std::string(block.substr(0, slash)));
  const std::string_view digits = block.substr(slash + 1);
  const bool numeric = !digits.empty() && digits.size() < 4 && std::all_of(digits.begin(), digits.end(), is_digit);
  if (!network || !numeric) return std::nullopt;
  const int bits = std::stoi(std::string(digits)) + (network->second ? 96 : 0);
  if (bits > 128) return std::nullopt;
  return std::pair(masked(network->first, bits), bits);
}

// net.IPNet.Contains: a block of one family has no address of the other.
bool in_block(const Address& address, std::string_view block) {
  const auto network = parse_block(block);
  return network && is_ipv4(network->first) == is_ipv4(address) && masked(address, network->second) == network->first;
}

// "host:8443", "[::1]:8443", "host:": the port that an entry is limited to is cut off, and is empty for all. What Go's
// net.SplitHostPort does not take stays whole: "::1", and "[::1]", which is no address then.
std::string cut_port(std::string& entry) {
  const std::size_t colon = entry.rfind(':');
  if (colon == std::string::npos) return "";
  std::string host = entry.substr(0, colon);
  const bool bracketed = host.size() > 1 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if ((!bracketed && host.find(':') != std::string::npos) || host.find_first_of("[]") != std::string::npos) return "";
  std::string port = entry.substr(colon + 1);
  entry = std::move(host);
  return port;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// golang.org/x/net/http/httpproxy/proxy.go, config.init and useProxy.
bool matches(const Url& server, std::string entry) {
  if (entry == "*") return true;
  const auto address = parse_address(server.host);
  if (parse_block(entry)) return address && in_block(address->first, entry);
  const std::string port = cut_port(entry);
  if (entry.empty() || (!port.empty() && port != std::to_string(server.port))) return false;
  const auto listed = parse_address(entry);
  // An address is no name: ".3" is not the end of 10.1.2.3.
  if (listed || address) return listed && address && listed->first == address->first;
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

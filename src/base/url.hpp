// `Url` is the URL of a server or of a proxy, parsed and checked; used from the settings to the request line. Pure, any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr {

struct Url {
  std::string scheme = {};  // "http" or "https"
  // "user:password", percent-encoded; of a proxy only. A secret, and in none of the strings below.
  std::string userinfo = {};
  std::string host = {};    // lower case; IPv6 addresses without brackets
  std::uint16_t port = 0;   // the scheme's default where the URL has none
  std::string prefix = {};  // "" or "/k8s/clusters/c-1", percent-encoded, no trailing slash, no "//"

  bool secure() const noexcept { return scheme == "https"; }
  // host:port, IPv6 addresses in brackets.
  std::string host_port() const;
  // scheme://host:port.
  std::string address() const { return scheme + "://" + host_port(); }
  // scheme://host:port/prefix.
  std::string text() const { return address() + prefix; }
  // As in a Host header: the port only where it is not the scheme's default (RFC 9110, section 4.2.3).
  std::string authority() const;
  // As in an Origin header (RFC 6454, section 6.2).
  std::string origin() const { return scheme + "://" + authority(); }
  // The value of Authorization or Proxy-Authorization for `userinfo` (RFC 7617); empty without one. A secret.
  std::string basic_authorization() const;
};

// The URL of an API server: scheme, host, port and path. A scheme is required: kubectl takes http or https by what else
// is configured (k8s.io/client-go/rest/url_utils.go, DefaultServerURL), and so may send a token in the clear. User
// names, queries and fragments are refused. `role` is what the error message begins with: the key that `text` comes
// from.
Expected<Url> parse_server_url(const std::string& role, std::string_view text);

// The URL of a proxy: http://[user:password@]host[:port]. A path, a query and a fragment mean nothing and are ignored,
// as by Go (net/http, Transport.Proxy), unless they have an '@'. The message of an error never repeats the user or
// password.
Expected<Url> parse_proxy_url(const std::string& role, std::string_view text);

// Every character may stand in a path or query, and each '%' begins an octet (RFC 3986, sections 3.3 and 3.4).
bool is_percent_encoded(std::string_view text) noexcept;
// Empty where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace ksr

// The URL of a cluster, a proxy or a Headlamp server. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr::cluster {

struct ServerUrl {
  std::string scheme;  // "http", "https", lower case
  std::string host;    // lower case; IPv6 literals without brackets
  std::string port;    // "6443"; the scheme's own where the URL names none
  std::string prefix;  // "" or "/k8s/clusters/c-1", no trailing slash

  bool secure() const noexcept { return scheme == "https"; }
  // scheme://host:port, IPv6 literals in brackets.
  std::string origin() const;
  std::string text() const { return origin() + prefix; }
};

// Without a scheme, https is meant where TLS is configured (`tls_expected`), else http, as client-go has it
// (k8s.io/client-go/rest/url_utils.go, DefaultServerURL). User names, queries and fragments are refused.
Expected<ServerUrl> parse_server_url(const std::string& role, std::string_view text, bool tls_expected);

// http://[user:password@]host[:port] as a proxy is named. The message never repeats the text: it may hold a password.
// Answers the normalised URL.
Expected<std::string> parse_proxy_url(const std::string& role, std::string_view text);

}  // namespace ksr::cluster

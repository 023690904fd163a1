#include "cluster/server_url.hpp"

#include <algorithm>
#include <optional>

#include "cluster/text.hpp"

namespace ksr::cluster {
namespace {

struct HostPort {
  std::string host;
  std::string port;
};

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) return false;
  const int number = std::stoi(std::string(text));
  return number >= 1 && number <= 65535;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

std::optional<HostPort> split_authority(std::string_view authority) {
  const bool bracketed = !authority.empty() && authority.front() == '[';
  const std::size_t host_end = bracketed ? authority.find(']') : authority.find(':');
  if (bracketed && host_end == std::string_view::npos) return std::nullopt;

  HostPort result;
  result.host = lower_case(bracketed ? authority.substr(1, host_end - 1) : authority.substr(0, host_end));
  const bool plausible = bracketed ? std::all_of(result.host.begin(), result.host.end(), is_ipv6_character) &&
                                         result.host.find(':') != std::string::npos
                                   : std::all_of(result.host.begin(), result.host.end(), is_host_character);
  if (!plausible || result.host.empty()) return std::nullopt;

  if (host_end == std::string_view::npos) return result;
  std::string_view rest = authority.substr(bracketed ? host_end + 1 : host_end);
  if (rest.empty()) return result;
  if (rest.front() != ':' || !is_port(rest.substr(1))) return std::nullopt;
  result.port = rest.substr(1);
  return result;
}

bool is_clean_prefix(std::string_view prefix) {
  const bool plain = std::all_of(prefix.begin(), prefix.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '?' && c != '#' && c != '\\' && c != '"' && c != '<' && c != '>';
  });
  if (!plain) return false;
  const auto parts = split(prefix, '/');
  return std::none_of(parts.begin(), parts.end(), [](std::string_view part) { return part == ".." || part == "."; });
}

std::string_view without_trailing_slashes(std::string_view text) {
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  return text;
}

std::string bracketed_if_ipv6(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

const char* default_port(const std::string& scheme) {
  return scheme == "https" ? "443" : "80";
}

}  // namespace

std::string ServerUrl::origin() const {
  return scheme + "://" + bracketed_if_ipv6(host) + ":" + port;
}

Expected<ServerUrl> parse_server_url(const std::string& role, std::string_view text, bool tls_expected) {
  const auto refuse = [&](const std::string& reason) {
    return Error{Status::invalid, role + ": " + reason +
                                      "; expected http:// or https:// and a host, such as "
                                      "https://127.0.0.1:6443"};
  };
  ServerUrl url;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) {
    url.scheme = tls_expected ? "https" : "http";
  } else {
    url.scheme = lower_case(text.substr(0, scheme_end));
    text.remove_prefix(scheme_end + 3);
  }
  if (url.scheme != "http" && url.scheme != "https") return refuse("has the scheme " + in_quotes(url.scheme));

  const std::size_t authority_end = text.find_first_of("/?#");
  const std::string_view authority = text.substr(0, authority_end);
  // Whatever stands before an '@' may be a password: nothing of it is repeated.
  if (authority.find('@') != std::string_view::npos) return refuse("holds a user name or password");
  auto place = split_authority(authority);
  if (!place) return refuse("does not name a host (and port) that could exist");
  url.host = std::move(place->host);
  url.port = place->port.empty() ? default_port(url.scheme) : std::move(place->port);

  if (authority_end != std::string_view::npos) {
    const std::string_view prefix = without_trailing_slashes(text.substr(authority_end));
    if (!is_clean_prefix(prefix))
      return refuse("has a path with a query, a fragment, '..' or characters that need encoding");
    url.prefix = prefix;
  }
  return url;
}

Expected<std::string> parse_proxy_url(const std::string& role, std::string_view text) {
  const auto refuse = [&](const std::string& reason) {
    return Error{Status::invalid, role + ": " + reason + "; expected http://[user:password@]host:port"};
  };
  const std::size_t scheme_end = text.find("://");
  const std::string scheme = scheme_end == std::string_view::npos ? "" : lower_case(text.substr(0, scheme_end));
  if (scheme == "socks5" || scheme == "socks5h" || scheme == "https") {
    return refuse("a proxy of the kind " + scheme + ":// is not supported by this library");
  }
  if (scheme != "http") return refuse("is not the URL of a proxy");
  text.remove_prefix(scheme_end + 3);
  if (has_control_characters(text)) return refuse("holds control characters");

  const std::size_t authority_end = text.find_first_of("/?#");
  std::string_view authority = text.substr(0, authority_end);
  const std::string_view rest = authority_end == std::string_view::npos ? "" : text.substr(authority_end);
  if (!rest.empty() && rest != "/") return refuse("has a path");
  std::string user;
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    user = authority.substr(0, at + 1);
    authority.remove_prefix(at + 1);
  }
  const auto place = split_authority(authority);
  if (!place) return refuse("does not name a host (and port) that could exist");
  // net/http and kubectl take port 80 for an http proxy that names none.
  const std::string port = place->port.empty() ? "80" : place->port;
  return "http://" + user + bracketed_if_ipv6(place->host) + ":" + port;
}

}  // namespace ksr::cluster

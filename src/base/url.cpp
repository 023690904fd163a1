#include "base/url.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/base64.hpp"
#include "base/server_name.hpp"
#include "base/text.hpp"

namespace ksr {
namespace {

constexpr std::size_t kMaxSchemeShown = 16;

std::uint16_t default_port(const std::string& scheme) noexcept {
  return scheme == "https" ? 443 : 80;
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// RFC 3986, section 3, cut at its delimiters; nothing of it is checked.
struct Parts {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> userinfo;
  std::string_view host_port;
  // From the first '/', '?' or '#'.
  std::string_view rest;
};

Parts split(std::string_view text) {
  Parts parts;
  const std::size_t scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos && scheme_end < text.find_first_of("/?#")) {
    parts.scheme = text.substr(0, scheme_end);
    text.remove_prefix(scheme_end + 3);
  }
  const std::size_t authority_end = std::min(text.find_first_of("/?#"), text.size());
  parts.host_port = text.substr(0, authority_end);
  parts.rest = text.substr(authority_end);
  if (const std::size_t at = parts.host_port.rfind('@'); at != std::string_view::npos) {
    parts.userinfo = parts.host_port.substr(0, at);
    parts.host_port.remove_prefix(at + 1);
  }
  return parts;
}

using Problem = std::optional<std::string>;

// Only what has the form of a scheme is repeated: anything else may be part of a password.
std::string scheme_problem(std::string_view scheme) {
  const bool plausible = !scheme.empty() && scheme.size() <= kMaxSchemeShown &&
                         std::all_of(scheme.begin(), scheme.end(),
                                     [](char c) { return is_alphanumeric(c) || c == '+' || c == '-' || c == '.'; });
  return plausible ? "has the scheme \"" + std::string(scheme) + "\"" : "has no valid scheme";
}

Problem read_port(std::string_view text, std::uint16_t& port) {
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failure != std::errc() || end != text.data() + text.size() || port == 0) {
    return "has a port that is not a number from 1 to 65535";
  }
  return std::nullopt;
}

Problem read_host_and_port(std::string_view text, Url& url) {
  const bool in_brackets = !text.empty() && text.front() == '[';
  const std::size_t host_end = in_brackets ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == std::string_view::npos) return "has an IPv6 address without its \"]\"";
  url.host = lower_case(in_brackets ? text.substr(1, host_end - 1) : text.substr(0, host_end));
  if (url.host.empty()) return "has no host";
  if (in_brackets) {
    if (url.host.find(':') == std::string::npos || !is_server_name(url.host)) {
      return "has brackets around what is not an IPv6 address";
    }
  } else if (!is_server_name(url.host)) {
    return "has a host that is not a DNS name or an IP address";
  }
  std::string_view rest = text.substr(in_brackets ? host_end + 1 : host_end);
  if (rest.empty()) {
    url.port = default_port(url.scheme);
    return std::nullopt;
  }
  if (rest.front() != ':') return "has characters between the IPv6 address and its port";
  return read_port(rest.substr(1), url.port);
}

bool has_dot_segment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const auto segment = percent_decode(path.substr(0, end));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(end);
  }
  return false;
}

// client-go cleans the path of the server and what it appends to that (rest/request.go, path.Join).
std::string without_empty_segments(std::string_view path) {
  std::string cleaned(path);
  const auto is_empty = [](char before, char after) { return before == '/' && after == '/'; };
  cleaned.erase(std::unique(cleaned.begin(), cleaned.end(), is_empty), cleaned.end());
  return cleaned;
}

Problem read_prefix(std::string_view rest, Url& url) {
  if (rest.find('#') != std::string_view::npos) return "has a fragment";
  if (rest.find('?') != std::string_view::npos) return "has a query";
  while (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
  if (!percent_decode(rest)) return "has a \"%\" without two hexadecimal digits in its path";
  if (!is_percent_encoded(rest)) return "has a character in its path that has to be percent-encoded";
  if (has_dot_segment(rest)) return "has \".\" or \"..\" in its path";
  url.prefix = without_empty_segments(rest);
  return std::nullopt;
}

Problem read_server(std::string_view text, Url& url) {
  const Parts parts = split(text);
  if (!parts.scheme) return "has no scheme";
  url.scheme = lower_case(*parts.scheme);
  if (url.scheme != "http" && url.scheme != "https") return scheme_problem(url.scheme);
  if (parts.userinfo) return "has a user name or password";
  if (auto problem = read_host_and_port(parts.host_port, url)) return problem;
  return read_prefix(parts.rest, url);
}

Problem read_proxy(std::string_view text, Url& url) {
  const Parts parts = split(text);
  if (!parts.scheme) return "has no scheme";
  url.scheme = lower_case(*parts.scheme);
  if (url.scheme != "http") return scheme_problem(url.scheme) + ", which is not supported";
  if (auto problem = read_host_and_port(parts.host_port, url)) return problem;
  // The rest is ignored, unless it may be that of a password, of which the beginning would be taken for a host.
  if (parts.rest.find('@') != std::string_view::npos) return "has an \"@\" after its first \"/\", \"?\" or \"#\"";
  url.userinfo = parts.userinfo.value_or("");
  if (has_control_characters(url.userinfo) || !percent_decode(url.userinfo)) {
    return "has a user name or password that is not percent-encoded";
  }
  return std::nullopt;
}

}  // namespace

std::string Url::host_port() const {
  return bracketed(host) + ":" + std::to_string(port);
}

std::string Url::authority() const {
  return port == default_port(scheme) ? bracketed(host) : host_port();
}

std::string Url::basic_authorization() const {
  if (userinfo.empty()) return "";
  // The colon is there without a password too (RFC 7617, section 2).
  const std::string whole = userinfo.find(':') == std::string::npos ? userinfo + ":" : userinfo;
  return "Basic " + base64_encode(percent_decode(whole).value_or(whole));
}

Expected<Url> parse_server_url(const std::string& role, std::string_view text) {
  Url url;
  if (const Problem problem = read_server(text, url)) {
    return Error{
        Status::invalid,
        role + ": " + *problem + "; expected https://HOST:PORT or http://HOST:PORT, such as https://127.0.0.1:6443"};
  }
  return url;
}

Expected<Url> parse_proxy_url(const std::string& role, std::string_view text) {
  Url url;
  if (const Problem problem = read_proxy(text, url)) {
    return Error{Status::invalid, role + ": " + *problem + "; expected http://[user:password@]host:port"};
  }
  return url;
}

bool is_percent_encoded(std::string_view text) noexcept {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:@/?";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return false;
      i += 2;
    } else if (!is_alphanumeric(text[i]) && kOthers.find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return true;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = hex_value(text[i + 1]);
    const int low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace ksr

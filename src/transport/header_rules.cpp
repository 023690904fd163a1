#include "transport/header_rules.hpp"

#include <algorithm>

#include "base/url.hpp"

namespace ksr::transport {
namespace {

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// The transport frames its messages by these itself.
constexpr std::string_view own_headers[] = {"host",       "connection", "content-length",   "transfer-encoding",
                                            "upgrade",    "te",         "trailer",          "expect",
                                            "keep-alive", "origin",     "proxy-connection", "proxy-authorization"};

bool is_own(const std::string& name, bool websocket) {
  constexpr std::string_view kWebsocketPrefix = "sec-websocket-";
  if (same_name(std::string_view(name).substr(0, kWebsocketPrefix.size()), kWebsocketPrefix)) return true;
  if (!websocket && same_name(name, "origin")) return false;
  return std::any_of(std::begin(own_headers), std::end(own_headers),
                     [&](std::string_view own) { return same_name(name, own); });
}

Error invalid(std::string message) {
  return Error{Status::invalid, std::move(message)};
}

// A name that is not a token is not printed as it stands: it may be a secret that slipped, or break the line.
std::optional<Error> check_header(const Header& header, bool websocket, bool accept_gzip) {
  if (!is_token(header.name))
    return invalid("a header's name is empty or has a character that no header name may have");
  if (!is_field_value(header.value)) {
    return invalid("header " + header.name + ": its value has a line break, a NUL or another control character");
  }
  if (is_own(header.name, websocket) || (accept_gzip && same_name(header.name, "accept-encoding"))) {
    return invalid("header " + header.name + ": the transport sets it itself");
  }
  return std::nullopt;
}

}  // namespace

bool is_request_target(std::string_view text) {
  return !text.empty() && text.front() == '/' && is_percent_encoded(text);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_alphanumeric(c) || one_of(c, "!#$%&'*+-.^_`|~"); });
}

bool is_field_value(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string> list_parts(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = text.find(", ");
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 2);
  }
  return parts;
}

std::optional<Error> check_request(const Request& request, bool websocket) {
  if (!is_request_target(request.target)) {
    return invalid("request target: expected a path that begins with / and is percent-encoded");
  }
  for (const Header& header : request.headers) {
    if (auto error = check_header(header, websocket, request.accept_gzip)) return error;
  }
  const std::vector<std::string> subprotocols = list_parts(request.subprotocol);
  if (websocket &&
      !std::all_of(subprotocols.begin(), subprotocols.end(), [](const auto& name) { return is_token(name); })) {
    return invalid("WebSocket subprotocol: expected tokens with \", \" between them");
  }
  return std::nullopt;
}

}  // namespace ksr::transport

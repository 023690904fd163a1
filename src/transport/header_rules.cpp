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

// The transport sets these itself: they frame the message or belong to one connection.
constexpr std::string_view kOwnHeaders[] = {"host",       "connection", "content-length",   "transfer-encoding",
                                            "upgrade",    "te",         "trailer",          "expect",
                                            "keep-alive", "origin",     "proxy-connection", "proxy-authorization"};

bool is_own(const std::string& name, bool websocket) {
  constexpr std::string_view kWebsocketPrefix = "sec-websocket-";
  if (same_name(std::string_view(name).substr(0, kWebsocketPrefix.size()), kWebsocketPrefix)) return true;
  if (!websocket && same_name(name, "origin")) return false;
  return std::any_of(std::begin(kOwnHeaders), std::end(kOwnHeaders),
                     [&](std::string_view own) { return same_name(name, own); });
}

Error invalid(std::string message) {
  return Error{Status::invalid, std::move(message)};
}

// A name that is not a token is not printed: it may be a secret in the wrong place, or break the line.
std::optional<Error> check_header(const Header& header, bool websocket, bool accept_gzip) {
  if (!is_token(header.name)) return invalid("a header name is empty or has a character that is not allowed in one");
  if (!is_field_value(header.value)) {
    return invalid("header " + header.name + ": its value has a control character");
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

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::vector<std::string> list_parts(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (const std::string_view part = trimmed(text.substr(0, comma)); !part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool has_list_token(std::string_view list, std::string_view token) {
  const std::vector<std::string> parts = list_parts(list);
  return std::any_of(parts.begin(), parts.end(), [&](const std::string& part) { return same_name(part, token); });
}

std::string joined_values(const ResponseHead& head, std::string_view name) {
  std::string joined;
  for (const Header& header : head.headers) {
    if (header.name != name) continue;
    if (!joined.empty()) joined += ", ";
    joined += header.value;
  }
  return joined;
}

ContentCoding content_coding(const ResponseHead& head) {
  std::vector<std::string> codings = list_parts(joined_values(head, "content-encoding"));
  const auto is_identity = [](const std::string& coding) { return same_name(coding, "identity"); };
  codings.erase(std::remove_if(codings.begin(), codings.end(), is_identity), codings.end());
  if (codings.empty()) return ContentCoding::identity;
  const bool gzip = same_name(codings.front(), "gzip") || same_name(codings.front(), "x-gzip");
  return gzip && codings.size() == 1 ? ContentCoding::gzip : ContentCoding::unsupported;
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

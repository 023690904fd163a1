#include "transport/header_rules.hpp"

#include <algorithm>
#include <iterator>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "base/url.hpp"

namespace ksr::transport {
namespace {

bool one_of(char c, std::string_view set) {
  return set.find(c) != std::string_view::npos;
}

// What frames a message or speaks to the next hop (RFC 9110, section 7.6.1; RFC 9112, sections 6 and 7): the transport
// alone sets these.
constexpr std::string_view kFramingHeaders[] = {
    "connection",          "content-length",   "expect", "host",    "http2-settings",    "keep-alive", "origin",
    "proxy-authorization", "proxy-connection", "te",     "trailer", "transfer-encoding", "upgrade",
};
// What other config keys stand for.
constexpr std::string_view kRequestHeaders[] = {"accept", "accept-encoding", "authorization", "content-type",
                                                "user-agent"};

bool starts_with(std::string_view name, std::string_view prefix) {
  return equal_ignoring_case(name.substr(0, prefix.size()), prefix);
}

template <std::size_t size>
bool is_in(const std::string_view (&names)[size], std::string_view name) {
  return std::any_of(std::begin(names), std::end(names),
                     [&](std::string_view other) { return equal_ignoring_case(name, other); });
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
  const bool origin_of_http = !websocket && equal_ignoring_case(header.name, "origin");
  const bool framing = set_by(header.name) == HeaderSetter::transport && !origin_of_http;
  if (framing || (accept_gzip && equal_ignoring_case(header.name, "accept-encoding"))) {
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
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '\t' || !is_control(c); });
}

HeaderSetter set_by(std::string_view name) {
  if (is_in(kFramingHeaders, name) || starts_with(name, "sec-websocket-")) return HeaderSetter::transport;
  if (is_in(kRequestHeaders, name) || starts_with(name, "impersonate-")) return HeaderSetter::library;
  return HeaderSetter::host;
}

std::vector<std::string> list_parts(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    if (const std::string_view part = trimmed(text.substr(0, comma), kBlanks); !part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

bool has_list_token(std::string_view list, std::string_view token) {
  const std::vector<std::string> parts = list_parts(list);
  return std::any_of(parts.begin(), parts.end(),
                     [&](const std::string& part) { return equal_ignoring_case(part, token); });
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
  const auto is_identity = [](const std::string& coding) { return equal_ignoring_case(coding, "identity"); };
  codings.erase(std::remove_if(codings.begin(), codings.end(), is_identity), codings.end());
  if (codings.empty()) return ContentCoding::identity;
  const bool gzip = equal_ignoring_case(codings.front(), "gzip") || equal_ignoring_case(codings.front(), "x-gzip");
  return gzip && codings.size() == 1 ? ContentCoding::gzip : ContentCoding::unsupported;
}

void add_credentials(std::string_view value, Secrets& secrets) {
  secrets.add(value);
  const std::size_t space = value.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view credentials = value.substr(space + 1);
  secrets.add(credentials);
  if (!equal_ignoring_case(value.substr(0, space), "basic")) return;
  const auto decoded = base64_decode(credentials);
  const std::size_t colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon != std::string::npos) secrets.add(decoded->substr(colon + 1));
}

bool shows_its_end(std::string_view content_type) {
  const std::string type = lower_case(trimmed(content_type.substr(0, content_type.find(';')), kBlanks));
  constexpr std::string_view kJsonSuffix = "+json";  // RFC 6839
  return type == "application/json" || type == "application/vnd.kubernetes.protobuf" ||
         (type.size() > kJsonSuffix.size() && type.substr(type.size() - kJsonSuffix.size()) == kJsonSuffix);
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

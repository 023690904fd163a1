#include "transport/response_head.hpp"

#include <algorithm>

#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

Error wrong(std::string what) {
  return Error{Status::protocol, std::move(what), {}, 502};
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// status-line = "HTTP/1." DIGIT SP 3DIGIT [ SP reason ] (RFC 9112, section 4); the reason is of no use to anybody.
bool parse_status_line(std::string_view line, ParsedHead& parsed) {
  if (line.size() < 12 || line.substr(0, 7) != "HTTP/1." || !is_digit(line[7]) || line[8] != ' ') return false;
  if (!is_digit(line[9]) || !is_digit(line[10]) || !is_digit(line[11])) return false;
  if (line.size() > 12 && line[12] != ' ') return false;
  parsed.http11 = line[7] != '0';
  parsed.head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return parsed.head.status >= 100;
}

}  // namespace

Expected<ParsedHead> parse_response_head(std::string_view text) {
  ParsedHead parsed;
  auto end = text.find("\r\n");
  if (!parse_status_line(text.substr(0, end), parsed)) return wrong("the status line is not that of HTTP/1.x");
  text.remove_prefix(end + 2);
  for (end = text.find("\r\n"); end != 0; end = text.find("\r\n")) {
    const std::string_view line = text.substr(0, end);
    const auto colon = line.find(':');
    // No space before the colon and no folded lines (RFC 9112, sections 5.1 and 5.2).
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return wrong("a header line has no valid name");
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!is_field_value(value)) return wrong("the value of a header has a control character");
    parsed.head.headers.push_back(Header{lower(line.substr(0, colon)), std::string(value)});
    text.remove_prefix(end + 2);
  }
  parsed.head.content_type = joined_values(parsed.head, "content-type");
  parsed.head.retry_after = joined_values(parsed.head, "retry-after");
  return parsed;
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

bool has_list_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (same_name(trimmed(list.substr(0, comma)), token)) return true;
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
  return false;
}

}  // namespace ksr::transport

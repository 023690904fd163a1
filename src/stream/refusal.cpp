#include "stream/refusal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace ksr::stream {
namespace {

using std::chrono::system_clock;

std::optional<int> digits(std::string_view text) {
  int number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

std::optional<int> month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin()) + 1;
}

// Days from 1970-01-01 in the proleptic Gregorian calendar; months count from March so that the leap day comes last.
std::int64_t days_since_epoch(int year, int month, int day) {
  const std::int64_t shifted_year = month <= 2 ? year - 1 : year;
  const std::int64_t shifted_month = month <= 2 ? month + 9 : month - 3;
  const std::int64_t leap_days = shifted_year / 4 - shifted_year / 100 + shifted_year / 400;
  constexpr std::int64_t epoch = 719'468;
  return shifted_year * 365 + leap_days + (153 * shifted_month + 2) / 5 + day - 1 - epoch;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<system_clock::time_point> parse_http_date(std::string_view text) {
  if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT") return std::nullopt;
  if (text[7] != ' ' || text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') return std::nullopt;
  const auto day = digits(text.substr(5, 2));
  const auto month = month_of(text.substr(8, 3));
  const auto year = digits(text.substr(12, 4));
  const auto hour = digits(text.substr(17, 2));
  const auto minute = digits(text.substr(20, 2));
  const auto second = digits(text.substr(23, 2));
  if (!day || !month || !year || !hour || !minute || !second) return std::nullopt;
  if (*day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const std::int64_t seconds = days_since_epoch(*year, *month, *day) * 86'400 + *hour * 3'600 + *minute * 60 + *second;
  return system_clock::time_point(std::chrono::seconds(seconds));
}

const char* phrase(int http_status) {
  switch (http_status) {
    case 400:
      return " Bad Request";
    case 401:
      return " Unauthorized";
    case 403:
      return " Forbidden";
    case 404:
      return " Not Found";
    case 410:
      return " Gone";
    case 429:
      return " Too Many Requests";
    case 500:
      return " Internal Server Error";
    case 502:
      return " Bad Gateway";
    case 503:
      return " Service Unavailable";
    case 504:
      return " Gateway Timeout";
    default:
      return "";
  }
}

bool is_plain_text(std::string_view content_type) {
  return content_type.substr(0, 10) == "text/plain";
}

std::string first_line(std::string_view text) {
  return one_line(text.substr(0, text.find('\n')), 200);
}

}  // namespace

std::optional<Milliseconds> parse_retry_after(std::string_view text, system_clock::time_point now) {
  constexpr int longest = 24 * 60 * 60;
  if (const std::optional<int> seconds = digits(text)) return std::chrono::seconds(std::min(*seconds, longest));
  const std::optional<system_clock::time_point> date = parse_http_date(text);
  if (!date) return std::nullopt;
  const auto wait = std::chrono::duration_cast<Milliseconds>(*date - now);
  return std::clamp<Milliseconds>(wait, Milliseconds(0), std::chrono::seconds(longest));
}

Refusal read_refusal(const transport::ResponseHead& head, std::string_view body, system_clock::time_point now) {
  Refusal refusal;
  refusal.status = json::parse_api_status(body);
  Error& error = refusal.error;
  error.status = status_of_http(head.status);
  error.http_status = head.status;
  error.retry_after = parse_retry_after(head.retry_after, now);
  error.message = "the server answered " + std::to_string(head.status) + phrase(head.status);
  if (refusal.status) {
    error.reason = refusal.status->reason;
    if (!refusal.status->message.empty()) error.message += ": " + one_line(refusal.status->message, 500);
    if (!error.retry_after && refusal.status->retry_after_seconds) {
      error.retry_after = std::chrono::seconds(*refusal.status->retry_after_seconds);
    }
  } else if (is_plain_text(head.content_type) && !body.empty()) {
    error.message += ": " + first_line(body);
  }
  if (head.status >= 300 && head.status < 400) {
    error.status = Status::protocol;
    error.message += ": redirects are not followed, set `server` to where the API is";
  } else if (head.status < 300) {
    error.status = Status::protocol;
    error.message += " where another status was expected";
  }
  return refusal;
}

std::string one_line(std::string_view text, std::size_t max_size) {
  std::string line;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (line.size() >= max_size && (byte & 0xC0) != 0x80) break;
    line += byte < 0x20 || byte == 0x7F ? ' ' : c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

}  // namespace ksr::stream

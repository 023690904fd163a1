// Times of RFC 3339 and of HTTP, compared with the C library's calendar.
#include "base/civil_time.hpp"

#include <ctime>
#include <optional>
#include <tuple>

#include "base/text.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using ksr::UnixTime;
using ksr::fuzz::require;

// `format` has a 'd' for each digit and otherwise the characters themselves.
bool has_form(std::string_view text, std::string_view format) {
  if (text.size() < format.size()) return false;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == 'd' ? !ksr::is_digit(text[i]) : text[i] != format[i]) return false;
  }
  return true;
}

int number(std::string_view text, std::size_t at, std::size_t digits) {
  return std::stoi(std::string(text.substr(at, digits)));
}

// Empty for a date that the calendar does not have.
std::optional<std::int64_t> seconds_of(int year, int month, int day, int hour, int minute, int second) {
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  std::tm date{};
  date.tm_year = year - 1900;
  date.tm_mon = month - 1;
  date.tm_mday = day;
  const std::time_t days = ::timegm(&date);
  if (date.tm_year != year - 1900 || date.tm_mon != month - 1 || date.tm_mday != day) return std::nullopt;
  return days + (hour * 60 + minute) * 60 + second;
}

std::optional<UnixTime> expected_rfc3339(std::string text) {
  if (text.size() > 10 && (text[10] == 't' || text[10] == 'T')) text[10] = 'T';
  if (!has_form(text, "dddd-dd-ddTdd:dd:dd")) return std::nullopt;
  const auto seconds = seconds_of(number(text, 0, 4), number(text, 5, 2), number(text, 8, 2), number(text, 11, 2),
                                  number(text, 14, 2), number(text, 17, 2));
  if (!seconds) return std::nullopt;
  std::string_view rest = std::string_view(text).substr(19);
  std::string fraction;
  if (!rest.empty() && rest.front() == '.') {
    const std::size_t end = std::min(rest.find_first_not_of("0123456789", 1), rest.size());
    fraction = rest.substr(1, end - 1);
    if (fraction.empty()) return std::nullopt;
    rest.remove_prefix(end);
  }
  fraction.resize(9, '0');
  UnixTime time{*seconds, std::stoi(fraction)};
  if (rest == "Z" || rest == "z") return time;
  if (rest.size() != 6 || !(has_form(rest, "+dd:dd") || has_form(rest, "-dd:dd"))) return std::nullopt;
  const int hours = number(rest, 1, 2);
  const int minutes = number(rest, 4, 2);
  if (hours > 23 || minutes > 59) return std::nullopt;
  time.seconds -= (rest.front() == '-' ? -1 : 1) * (hours * 60 + minutes) * 60;
  return time;
}

// 0: none.
int month_of(std::string_view name) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::size_t month = kMonths.find(name);
  return month == std::string_view::npos || month % 3 != 0 ? 0 : static_cast<int>(month / 3) + 1;
}

std::optional<UnixTime> expected_http_date(const std::string& text) {
  if (text.size() != 29 || text.find(',') != 3 || text[4] != ' ' || !has_form(text.substr(5), "dd ") ||
      text[11] != ' ' || !has_form(text.substr(12), "dddd dd:dd:dd GMT")) {
    return std::nullopt;
  }
  const int month = month_of(std::string_view(text).substr(8, 3));
  if (month == 0) return std::nullopt;
  const auto seconds = seconds_of(number(text, 12, 4), month, number(text, 5, 2), number(text, 17, 2),
                                  number(text, 20, 2), number(text, 23, 2));
  return seconds ? std::optional(UnixTime{*seconds, 0}) : std::nullopt;
}

// 50 years before the last time of the next century that two digits of a year can mean: 2076-11-29T15:00:00Z.
constexpr std::int64_t kNow = 1'796'040'000;

std::optional<UnixTime> expected_rfc850_date(const std::string& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos || comma == 3 || text.size() != comma + 24) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(comma);
  if (!has_form(rest, ", dd-") || !has_form(rest.substr(8), "-dd dd:dd:dd GMT")) return std::nullopt;
  const int month = month_of(rest.substr(5, 3));
  if (month == 0) return std::nullopt;
  const int day = number(rest, 2, 2);
  const int year = number(rest, 9, 2);
  const int hour = number(rest, 12, 2);
  const int minute = number(rest, 15, 2);
  const int second = number(rest, 18, 2);
  // The calendar may not have the day in the later century.
  const bool later = std::make_tuple(year, month, day, hour, minute, second) <= std::make_tuple(76, 11, 29, 15, 0, 0);
  const auto seconds = seconds_of((later ? 2000 : 1900) + year, month, day, hour, minute, second);
  return seconds ? std::optional(UnixTime{*seconds, 0}) : std::nullopt;
}

std::optional<UnixTime> expected_asctime(const std::string& text) {
  if (text.size() != 24 || text.find(',') != std::string::npos || text[3] != ' ') return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(7);
  if (!(has_form(rest, " dd ") || has_form(rest, "  d ")) || !has_form(rest.substr(4), "dd:dd:dd dddd")) {
    return std::nullopt;
  }
  const int month = month_of(std::string_view(text).substr(4, 3));
  const int day = rest[1] == ' ' ? number(rest, 2, 1) : number(rest, 1, 2);
  if (month == 0 || day == 0) return std::nullopt;
  const auto seconds =
      seconds_of(number(rest, 13, 4), month, day, number(rest, 4, 2), number(rest, 7, 2), number(rest, 10, 2));
  return seconds ? std::optional(UnixTime{*seconds, 0}) : std::nullopt;
}

// The forms exclude each other.
std::optional<UnixTime> expected_date(const std::string& text) {
  if (const auto found = expected_http_date(text)) return found;
  if (const auto found = expected_rfc850_date(text)) return found;
  return expected_asctime(text);
}

void check(const std::optional<UnixTime>& found, const std::optional<UnixTime>& expected, const char* what) {
  require(found.has_value() == expected.has_value(), std::string(what) + " is taken differently");
  if (!found) return;
  require(found->seconds == expected->seconds && found->nanoseconds == expected->nanoseconds,
          std::string(what) + " is another time");
  ksr::to_time_point(*found);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check(ksr::parse_rfc3339(text), expected_rfc3339(text), "an RFC 3339 time");
  const auto now = ksr::to_time_point({kNow, 0});
  check(ksr::parse_http_date(text, now), expected_date(text), "an HTTP date");
  return 0;
}

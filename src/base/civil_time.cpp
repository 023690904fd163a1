#include "base/civil_time.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "base/text.hpp"

namespace ksr {
namespace {

// 0000-01-01T00:00:00Z and 10000-01-01T00:00:00Z.
constexpr std::int64_t kYear0 = -62167219200;
constexpr std::int64_t kYear10000 = 253402300800;
constexpr std::uint32_t kSecondsOfDay = 86400;
constexpr std::uint32_t kDaysOfEra = 146097;
constexpr std::int64_t kFiftyYears = std::int64_t{kDaysOfEra} * kSecondsOfDay / 8;
// Of a day or a month in HTTP.
constexpr std::size_t kShortName = 3;

// Reads a string from its front; once something does not match, all that follows fails.
class Cursor {
 public:
  explicit Cursor(std::string_view text) noexcept : rest_(text) {}

  bool at_end() const noexcept { return !failed_ && rest_.empty(); }

  std::int64_t number(std::size_t digits, std::int64_t low, std::int64_t high) noexcept {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value < low || value > high ? fail() : value;
  }

  // One of two characters.
  bool accept(char one, char other) noexcept {
    if (rest_.empty() || (rest_.front() != one && rest_.front() != other)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char one, char other) noexcept {
    if (!accept(one, other)) fail();
  }
  void expect(std::string_view text) noexcept {
    if (rest_.substr(0, text.size()) != text) {
      fail();
      return;
    }
    rest_.remove_prefix(text.size());
  }

  std::string_view take(std::size_t size) noexcept {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::int64_t fraction() noexcept {
    if (!accept('.', '.')) return 0;
    if (rest_.empty() || !is_digit(rest_.front())) return fail();
    std::int64_t nanoseconds = 0;
    std::int64_t unit = 100'000'000;
    for (; !rest_.empty() && is_digit(rest_.front()); rest_.remove_prefix(1), unit /= 10) {
      nanoseconds += unit * (rest_.front() - '0');
    }
    return nanoseconds;
  }

  std::int64_t offset_seconds() noexcept {
    if (accept('z', 'Z')) return 0;
    const bool west = !rest_.empty() && rest_.front() == '-';
    if (!accept('+', '-')) return fail();
    const std::int64_t hours = number(2, 0, 23);
    expect(':', ':');
    const std::int64_t seconds = (hours * 60 + number(2, 0, 59)) * 60;
    return west ? -seconds : seconds;
  }

 private:
  std::int64_t fail() noexcept {
    failed_ = true;
    rest_ = {};
    return 0;
  }

  std::string_view rest_;
  bool failed_ = false;
};

// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March so that the leap day
// comes last.
std::int64_t days_from_civil(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
  const std::int64_t march_year = month <= 2 ? year - 1 : year;
  const std::int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
  const std::int64_t year_of_era = march_year - era * 400;
  const std::int64_t march_month = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
  const std::int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) noexcept {
  return days_from_civil(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
         days_from_civil(year, month, 1);
}

std::int64_t month_of(std::string_view name) noexcept {
  constexpr std::array<std::string_view, 12> kNames{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  return std::find(kNames.begin(), kNames.end(), name) - kNames.begin() + 1;
}

struct TimeOfDay {
  std::int64_t hour, minute, second;
};

TimeOfDay read_time_of_day(Cursor& cursor) noexcept {
  TimeOfDay time{};
  time.hour = cursor.number(2, 0, 23);
  cursor.expect(':', ':');
  time.minute = cursor.number(2, 0, 59);
  cursor.expect(':', ':');
  time.second = cursor.number(2, 0, 60);
  return time;
}

std::int64_t unix_seconds(std::int64_t days, const TimeOfDay& time) noexcept {
  return ((days * 24 + time.hour) * 60 + time.minute) * 60 + time.second;
}

std::optional<UnixTime> time_of(std::int64_t year, std::int64_t month, std::int64_t day,
                                const TimeOfDay& time) noexcept {
  if (month > 12 || day > days_in_month(year, month)) return std::nullopt;
  return UnixTime{unix_seconds(days_from_civil(year, month, day), time), 0};
}

// In HTTP: the name of a day, the date, the time, GMT.
struct HttpDate {
  std::int64_t day;
  std::int64_t month;
  std::int64_t year;
  TimeOfDay time;
};

HttpDate read_http_date(Cursor& cursor, std::size_t name_size, std::string_view separator, std::size_t year_digits,
                        std::int64_t last_year) noexcept {
  HttpDate date{};
  cursor.take(name_size);
  cursor.expect(", ");
  date.day = cursor.number(2, 1, 31);
  cursor.expect(separator);
  date.month = month_of(cursor.take(kShortName));
  cursor.expect(separator);
  date.year = cursor.number(year_digits, 0, last_year);
  cursor.expect(" ");
  date.time = read_time_of_day(cursor);
  cursor.expect(" GMT");
  return date;
}

std::optional<UnixTime> parse_imf_fixdate(std::string_view text) noexcept {
  Cursor cursor(text);
  const HttpDate date = read_http_date(cursor, kShortName, " ", 4, 9999);
  return cursor.at_end() ? time_of(date.year, date.month, date.day, date.time) : std::nullopt;
}

std::optional<UnixTime> parse_rfc850_date(std::string_view text, std::size_t name_size,
                                          std::chrono::system_clock::time_point now) noexcept {
  Cursor cursor(text);
  const auto [day, month, year, time] = read_http_date(cursor, name_size, "-", 2, 99);
  if (!cursor.at_end() || month > 12) return std::nullopt;
  const std::int64_t last =
      std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count() + kFiftyYears;
  std::int64_t century = 9900;
  while (century > 0 && unix_seconds(days_from_civil(century + year, month, day), time) > last) century -= 100;
  return time_of(century + year, month, day, time);
}

std::optional<UnixTime> parse_asctime(std::string_view text) noexcept {
  Cursor cursor(text);
  cursor.take(kShortName);
  cursor.expect(" ");
  const std::int64_t month = month_of(cursor.take(kShortName));
  cursor.expect(" ");
  const std::int64_t day = cursor.accept(' ', ' ') ? cursor.number(1, 1, 9) : cursor.number(2, 1, 31);
  cursor.expect(" ");
  const TimeOfDay time = read_time_of_day(cursor);
  cursor.expect(" ");
  const std::int64_t year = cursor.number(4, 0, 9999);
  return cursor.at_end() ? time_of(year, month, day, time) : std::nullopt;
}

}  // namespace

std::optional<UnixTime> parse_rfc3339(std::string_view text) noexcept {
  Cursor cursor(text);
  const std::int64_t year = cursor.number(4, 0, 9999);
  cursor.expect('-', '-');
  const std::int64_t month = cursor.number(2, 1, 12);
  cursor.expect('-', '-');
  const std::int64_t day = cursor.number(2, 1, 31);
  cursor.expect('t', 'T');
  const TimeOfDay time = read_time_of_day(cursor);
  const std::int64_t nanoseconds = cursor.fraction();
  const std::int64_t offset = cursor.offset_seconds();
  if (!cursor.at_end() || day > days_in_month(year, month)) return std::nullopt;
  return UnixTime{unix_seconds(days_from_civil(year, month, day), time) - offset,
                  static_cast<std::int32_t>(nanoseconds)};
}

std::optional<UnixTime> parse_http_date(std::string_view text, std::chrono::system_clock::time_point now) noexcept {
  // Forms differ in what follows the name of the day.
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return parse_asctime(text);
  return comma == kShortName ? parse_imf_fixdate(text) : parse_rfc850_date(text, comma, now);
}

std::chrono::system_clock::time_point to_time_point(const UnixTime& time) noexcept {
  constexpr std::int64_t kMaxSeconds = 9'000'000'000;
  return std::chrono::system_clock::time_point(
      std::chrono::seconds(std::clamp(time.seconds, -kMaxSeconds, kMaxSeconds)));
}

bool has_four_digit_year(std::int64_t seconds) noexcept {
  return seconds >= kYear0 && seconds < kYear10000;
}

// Days to dates within eras of 400 years, which begin in March, so that the day that comes and goes is a year's last.
void write_rfc3339(std::int64_t seconds, char* to) noexcept {
  const auto since_year_0 = static_cast<std::uint64_t>(seconds - kYear0);
  const auto second_of_day = static_cast<std::uint32_t>(since_year_0 % kSecondsOfDay);
  // Year 0 begins 60 days before its March; an era is added so that no number is below zero.
  const auto day = static_cast<std::uint32_t>(since_year_0 / kSecondsOfDay) + kDaysOfEra - 60;
  const std::uint32_t era = day / kDaysOfEra;
  const std::uint32_t day_of_era = day % kDaysOfEra;
  const std::uint32_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (kDaysOfEra - 1)) / 365;
  const std::uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint32_t month_from_march = (5 * day_of_year + 2) / 153;
  const std::uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::uint32_t year = year_of_era + era * 400 - 400 + (month <= 2 ? 1 : 0);
  char* next = to;
  const auto put = [&next](std::uint32_t value, char after) {
    next[0] = static_cast<char>('0' + value / 10);
    next[1] = static_cast<char>('0' + value % 10);
    next[2] = after;
    next += 3;
  };
  put(year / 100, '0');
  --next;
  put(year % 100, '-');
  put(month, '-');
  put(day_of_year - (153 * month_from_march + 2) / 5 + 1, 'T');
  put(second_of_day / 3600, ':');
  put(second_of_day / 60 % 60, ':');
  put(second_of_day % 60, 'Z');
}

std::string rfc3339_text(const UnixTime& time) {
  if (!has_four_digit_year(time.seconds)) return {};
  std::string text(kRfc3339Size, '\0');
  write_rfc3339(time.seconds, text.data());
  return text;
}

}  // namespace ksr

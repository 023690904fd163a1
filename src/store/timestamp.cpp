#include "store/timestamp.hpp"

#include <cstddef>

namespace ksr::store {
namespace {

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;
constexpr std::int64_t kLatestSecond = std::numeric_limits<std::int64_t>::max() / kNanosecondsInSecond - 1;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// Reads the text from the front; after a mismatch it stays failed.
class TimestampParser {
 public:
  explicit TimestampParser(std::string_view text) noexcept : rest_(text) {}

  bool failed() const noexcept { return failed_; }
  bool at_end() const noexcept { return rest_.empty(); }

  std::int64_t number(std::size_t digits, std::int64_t low, std::int64_t high) noexcept {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (i >= rest_.size() || !is_digit(rest_[i])) return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value < low || value > high ? fail() : value;
  }

  bool accept(char lower, char upper) noexcept {
    if (rest_.empty() || (rest_.front() != lower && rest_.front() != upper)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char lower, char upper) noexcept {
    if (!accept(lower, upper)) fail();
  }

  std::int64_t fraction() noexcept {
    if (!accept('.', '.')) return 0;
    if (rest_.empty() || !is_digit(rest_.front())) return fail();
    std::int64_t nanoseconds = 0;
    std::int64_t unit = kNanosecondsInSecond / 10;
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

// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in March.
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

}  // namespace

std::int64_t parse_timestamp(std::string_view text) noexcept {
  TimestampParser scan(text);
  const std::int64_t year = scan.number(4, 0, 9999);
  scan.expect('-', '-');
  const std::int64_t month = scan.number(2, 1, 12);
  scan.expect('-', '-');
  const std::int64_t day = scan.number(2, 1, 31);
  scan.expect('t', 'T');
  const std::int64_t hour = scan.number(2, 0, 23);
  scan.expect(':', ':');
  const std::int64_t minute = scan.number(2, 0, 59);
  scan.expect(':', ':');
  const std::int64_t second = scan.number(2, 0, 60);
  const std::int64_t nanoseconds = scan.fraction();
  const std::int64_t offset = scan.offset_seconds();
  if (scan.failed() || !scan.at_end() || day > days_in_month(year, month)) return kNoTime;

  const std::int64_t seconds = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - offset;
  if (seconds > kLatestSecond) return std::numeric_limits<std::int64_t>::max();
  if (seconds < -kLatestSecond) return kNoTime + 1;
  return seconds * kNanosecondsInSecond + nanoseconds;
}

}  // namespace ksr::store

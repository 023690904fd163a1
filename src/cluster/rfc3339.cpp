#include "cluster/rfc3339.hpp"

#include <cstdint>

namespace ksr::cluster {
namespace {

// Eats its way through the text; once something did not fit, nothing fits any more.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int min_value, int max_value) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (rest_.size() <= i || rest_[i] < '0' || rest_[i] > '9') return fail();
      value = value * 10 + (rest_[i] - '0');
    }
    if (value < min_value || value > max_value) return fail();
    rest_.remove_prefix(digits);
    return value;
  }
  bool next_is(std::string_view any_of) const {
    return !rest_.empty() && any_of.find(rest_[0]) != std::string_view::npos;
  }
  char one_of(std::string_view any_of) {
    if (!next_is(any_of)) return static_cast<char>(fail());
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  void fraction() {
    one_of(".");
    if (!next_is("0123456789")) fail();
    while (next_is("0123456789")) rest_.remove_prefix(1);
  }
  bool done() const { return fine_ && rest_.empty(); }

 private:
  int fail() {
    fine_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool fine_ = true;
};

bool is_leap(int year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int days_in(int year, int month) {
  static constexpr int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

std::int64_t days_since_epoch(int year, int month, int day) {
  const std::int64_t before = year - 1;
  std::int64_t days = before * 365 + before / 4 - before / 100 + before / 400 - 719162;
  for (int m = 1; m < month; ++m) days += days_in(year, m);
  return days + day - 1;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Cursor cursor(text);
  const int year = cursor.number(4, 1, 9999);
  cursor.one_of("-");
  const int month = cursor.number(2, 1, 12);
  cursor.one_of("-");
  const int day = cursor.number(2, 1, 31);
  cursor.one_of("Tt");
  const int hour = cursor.number(2, 0, 23);
  cursor.one_of(":");
  const int minute = cursor.number(2, 0, 59);
  cursor.one_of(":");
  const int second = cursor.number(2, 0, 60);
  if (cursor.next_is(".")) cursor.fraction();
  const char zone = cursor.one_of("Zz+-");
  int offset = 0;
  if (zone == '+' || zone == '-') {
    offset = cursor.number(2, 0, 23) * 60;
    cursor.one_of(":");
    offset += cursor.number(2, 0, 59);
  }
  if (!cursor.done() || day > days_in(year, month)) return std::nullopt;

  std::int64_t minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute;
  minutes -= zone == '-' ? -offset : offset;
  // A clock of 64 bits in nanoseconds ends in 2262: what lies beyond never expires.
  constexpr std::int64_t latest = std::int64_t{9'000'000'000} / 60;
  if (minutes > latest) minutes = latest;
  if (minutes < -latest) minutes = -latest;
  return WallTime(std::chrono::seconds(minutes * 60 + second));
}

}  // namespace ksr::cluster

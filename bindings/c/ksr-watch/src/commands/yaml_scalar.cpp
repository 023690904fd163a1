#include "commands/yaml_scalar.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "base/text.hpp"

namespace ksr::commands {
namespace {

unsigned byte_at(std::string_view text, std::size_t i) {
  return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

bool is_word(std::string_view text) {
  for (const std::string_view word :
       {"",    "~",    "null", "Null", "NULL", "y",    "Y",    "yes",   "Yes",   "YES",   "true",  "True",  "TRUE",
        "on",  "On",   "ON",   "n",    "N",    "no",   "No",   "NO",    "false", "False", "FALSE", "off",   "Off",
        "OFF", ".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"}) {
    if (text == word) return true;
  }
  return false;
}

// Takes from the front what the parts of a number or a time are made of.
class Cursor {
 public:
  explicit Cursor(std::string_view rest) : rest_(rest) {}
  bool at_end() const { return rest_.empty(); }
  bool take(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view digits(std::size_t most = std::string_view::npos) {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_digit);
    const std::size_t count = std::min(static_cast<std::size_t>(end - rest_.begin()), most);
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  // A number of one or two digits (or of exactly `size`) within the bounds.
  bool number(int least, int most, std::size_t size = 0) {
    const std::string_view taken = digits(size == 0 ? 2 : size);
    if (taken.empty() || (size != 0 && taken.size() != size)) return false;
    int value = 0;
    std::from_chars(taken.data(), taken.data() + taken.size(), value);
    last_ = value;
    return value >= least && value <= most;
  }
  int last() const { return last_; }

 private:
  std::string_view rest_;
  int last_ = 0;
};

int days_in(int year, int month) {
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month == 2) return leap ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool take_time_of_day(Cursor& cursor) {
  if (!cursor.number(0, 23) || !cursor.take(":") || !cursor.number(0, 59) || !cursor.take(":") ||
      !cursor.number(0, 59)) {
    return false;
  }
  return !cursor.take(".,") || !cursor.digits().empty();
}

bool is_time(std::string_view text) {
  Cursor cursor(text);
  if (!cursor.number(0, 9999, 4)) return false;
  const int year = cursor.last();
  if (!cursor.take("-") || !cursor.number(1, 12)) return false;
  const int month = cursor.last();
  if (!cursor.take("-") || !cursor.number(1, days_in(year, month))) return false;
  if (cursor.at_end()) return true;
  if (cursor.take(" ")) return take_time_of_day(cursor) && cursor.at_end();
  if (!cursor.take("Tt") || !take_time_of_day(cursor)) return false;
  if (cursor.take("Z")) return cursor.at_end();
  return cursor.take("+-") && cursor.number(0, 24, 2) && cursor.take(":") && cursor.number(0, 60, 2) && cursor.at_end();
}

bool fits(std::string_view digits, int base, bool negative) {
  std::uint64_t magnitude = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (failure != std::errc() || end != digits.data() + digits.size()) return false;
  return !negative || magnitude <= std::uint64_t{1} << 63;
}

// strconv.ParseInt and ParseUint with base 0.
bool is_integer(std::string_view text) {
  const bool negative = text.substr(0, 1) == "-";
  const bool positive = text.substr(0, 1) == "+";
  if (negative || positive) text.remove_prefix(1);
  // An unsigned one has no sign.
  if (text.empty() || !is_digit(text.front())) return false;
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char letter = lower_case(text[1]);
    base = letter == 'x' ? 16 : letter == 'b' ? 2 : 8;
    text.remove_prefix(letter == 'x' || letter == 'b' || letter == 'o' ? 2 : 1);
  }
  if (text.empty() || !fits(text, base, negative)) return false;
  return !positive || fits(text, base, true);
}

bool is_decimal(std::string_view text) {
  Cursor cursor(text);
  cursor.take("+-");
  const bool whole = !cursor.digits().empty();
  const bool point = cursor.take(".");
  const bool fraction = point && !cursor.digits().empty();
  if (!whole && !fraction) return false;
  if (cursor.take("eE")) {
    cursor.take("+-");
    if (cursor.digits().empty()) return false;
  }
  if (!cursor.at_end()) return false;
  double value = 0;
  if (text.front() == '+') text.remove_prefix(1);
  const auto failure = std::from_chars(text.data(), text.data() + text.size(), value).ec;
  // What is too small is 0 to Go.
  return failure != std::errc::result_out_of_range || text.find("e-") != std::string_view::npos ||
         text.find("E-") != std::string_view::npos;
}

bool is_number(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  return !plain.empty() && (is_integer(plain) || is_decimal(plain));
}

// Numbers to base 60 of YAML 1.1, such as 1:30: not read, but quoted for others who do.
bool is_base_60(std::string_view text) {
  Cursor cursor(text);
  cursor.take("+-");
  if (cursor.digits(1).empty()) return false;
  while (!cursor.digits().empty() || cursor.take("_")) {
  }
  bool has_part = false;
  while (cursor.take(":")) {
    if (!cursor.number(0, 59)) return false;
    has_part = true;
  }
  if (!has_part) return false;
  if (cursor.take(".")) {
    while (!cursor.digits().empty() || cursor.take("_")) {
    }
  }
  return cursor.at_end();
}

bool is_blank_or_end(std::string_view text, std::size_t i) {
  return i >= text.size() || text[i] == ' ' || text[i] == '\t';
}

bool is_indicator(std::string_view text, std::size_t i, bool follows_blank) {
  const bool blank_follows = is_blank_or_end(text, i + character_size(text[i]));
  if (text[i] == ':') return blank_follows;
  if (i != 0) return text[i] == '#' && follows_blank;
  if (text[i] == '?' || text[i] == '-') return blank_follows;
  return std::string_view("#,[]{}&*!|>'\"%@`").find(text[i]) != std::string_view::npos;
}

// unicode.IsLetter, but for what no key of Kubernetes has.
bool is_letter(char c) {
  return is_lower(c) || is_upper(c) || static_cast<unsigned char>(c) >= 0x80;
}

std::int64_t number_at(std::string_view text, std::size_t& i, std::int64_t start) {
  std::uint64_t number = static_cast<std::uint64_t>(start);
  for (; i < text.size() && is_digit(text[i]); ++i) number = number * 10 + static_cast<std::uint64_t>(text[i] - '0');
  return static_cast<std::int64_t>(number);
}

}  // namespace

bool reads_as_other_type(std::string_view text) {
  if (is_word(text)) return true;
  const char first = text.front();
  if (first == '.') return is_decimal(text);
  if (!is_digit(first) && first != '+' && first != '-') return false;
  return is_time(text) || is_number(text) || is_base_60(text);
}

std::size_t character_size(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::size_t break_at(std::string_view text, std::size_t i) {
  if (text[i] == '\n' || text[i] == '\r') return 1;
  if (byte_at(text, i) == 0xC2 && byte_at(text, i + 1) == 0x85) return 2;
  const bool separator = byte_at(text, i) == 0xE2 && byte_at(text, i + 1) == 0x80 &&
                         (byte_at(text, i + 2) == 0xA8 || byte_at(text, i + 2) == 0xA9);
  return separator ? 3 : 0;
}

// Tabs and characters beyond the basic multilingual plane are escaped.
bool is_printable(std::string_view text, std::size_t i) {
  const unsigned first = byte_at(text, i), second = byte_at(text, i + 1), third = byte_at(text, i + 2);
  if (first == 0x0A || (first >= 0x20 && first <= 0x7E)) return true;
  if (first == 0xC2) return second >= 0xA0;
  if (first == 0xED) return second < 0xA0;
  if (first == 0xEF) return !(second == 0xBB && third == 0xBF) && !(second == 0xBF && third >= 0xBE);
  return first > 0xC2 && first <= 0xEE;
}

ScalarStyles styles_of(std::string_view text) {
  ScalarStyles styles;
  if (text.empty()) {
    styles.literal = false;
    return styles;
  }
  bool indicators = text.substr(0, 3) == "---" || text.substr(0, 3) == "...";
  bool special = false, space_before_break = false, space_after_break = false;
  bool previous_space = false, previous_break = false, follows_blank = true;
  for (std::size_t i = 0; i < text.size(); i += character_size(text[i])) {
    const bool is_break = break_at(text, i) != 0;
    const bool is_space = text[i] == ' ';
    indicators = indicators || is_indicator(text, i, follows_blank);
    special = special || !is_printable(text, i);
    styles.multiline = styles.multiline || is_break;
    space_after_break = space_after_break || (is_space && previous_break);
    space_before_break = space_before_break || (is_break && previous_space);
    previous_space = is_space;
    previous_break = is_break;
    follows_blank = is_break || is_space || text[i] == '\t';
  }
  const bool at_an_end = text.front() == ' ' || break_at(text, 0) != 0 || previous_space || previous_break;
  styles.plain = !indicators && !at_an_end && !styles.multiline && !special && !space_before_break;
  styles.single_quoted = !space_after_break && !space_before_break && !special;
  styles.literal = !previous_space && !space_before_break && !special;
  return styles;
}

bool key_less(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < common && a[i] == b[i]) ++i;
  if (i == common) return a.size() < b.size();
  const bool a_letter = is_letter(a[i]), b_letter = is_letter(b[i]);
  if (a_letter && b_letter) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
  if (a_letter || b_letter) return b_letter;
  std::int64_t start = 0;
  if (a[i] == '0' || b[i] == '0') {
    for (std::size_t j = i; j > 0 && is_digit(a[j - 1]); --j) {
      if (a[j - 1] == '0') continue;
      start = 1;
      break;
    }
  }
  std::size_t a_end = i, b_end = i;
  const std::int64_t a_number = number_at(a, a_end, start), b_number = number_at(b, b_end, start);
  if (a_number != b_number) return a_number < b_number;
  if (a_end != b_end) return a_end < b_end;
  return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i]);
}

}  // namespace ksr::commands

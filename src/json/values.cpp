#include "json/values.hpp"

#include <array>
#include <charconv>
#include <limits>

#include "base/civil_time.hpp"
#include "base/text.hpp"
#include "json/json_pointer.hpp"
#include "json/text_cursor.hpp"
#include "json/unescape.hpp"

namespace ksr::json {
namespace {

std::optional<std::string_view> between_quotes(std::string_view value) {
  if (value.size() < 2 || value.front() != '"') return std::nullopt;
  return value.substr(1, value.size() - 2);
}

bool is_number(std::string_view value) {
  return !value.empty() && (value.front() == '-' || is_digit(value.front()));
}

// The bytes of a character that begins with `lead`.
std::size_t character_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

// Copies whole characters as long as there is room for them and a NUL.
class Copy {
 public:
  Copy(char* to, std::size_t size) : to_(to), size_(size) {}

  void add(std::string_view text) {
    length_ += text.size();
    while (!full_ && !text.empty()) {
      const std::size_t character = std::min(character_size(text.front()), text.size());
      if (written_ + character >= size_) {
        full_ = true;
        return;
      }
      for (std::size_t i = 0; i < character; ++i) to_[written_++] = text[i];
      text.remove_prefix(character);
    }
  }
  std::size_t finish() {
    if (size_ > 0) to_[written_] = '\0';
    return length_;
  }

 private:
  char* const to_;
  const std::size_t size_;
  std::size_t written_ = 0;
  std::size_t length_ = 0;
  bool full_ = false;
};

// Collects a time without what is finer than it is read, so that a fraction may have any number of digits.
class TimeText {
 public:
  void add(std::string_view piece) {
    for (const char c : piece) {
      if (!is_digit(c)) {
        after_point_ = c == '.';
        digits_ = 0;
      } else if (after_point_ && ++digits_ > kNanosecondDigits) {
        continue;
      }
      too_long_ = too_long_ || size_ == text_.size();
      if (!too_long_) text_[size_++] = c;
    }
  }
  std::optional<std::string_view> finish() const {
    if (too_long_) return std::nullopt;
    return std::string_view(text_.data(), size_);
  }

 private:
  static constexpr std::size_t kNanosecondDigits = 9;

  std::array<char, 64> text_{};
  std::size_t size_ = 0;
  std::size_t digits_ = 0;  // of the fraction so far
  bool after_point_ = false;
  bool too_long_ = false;
};

// A number as digits and a power of ten: -12.30e1 is 1230 with exponent -1, negative.
struct Decimal {
  bool negative = false;
  std::string_view whole = {};
  std::string_view fraction = {};
  int exponent = 0;
};

constexpr int kMaxExponent = 1'000'000;

Decimal decimal_of(std::string_view number) {
  Decimal decimal;
  decimal.negative = number.front() == '-';
  if (decimal.negative) number.remove_prefix(1);
  const std::size_t e = number.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view power = number.substr(e + 1);
    const bool below = !power.empty() && power.front() == '-';
    if (!power.empty() && (power.front() == '-' || power.front() == '+')) power.remove_prefix(1);
    for (const char digit : power) decimal.exponent = std::min(decimal.exponent * 10 + (digit - '0'), kMaxExponent);
    if (below) decimal.exponent = -decimal.exponent;
    number = number.substr(0, e);
  }
  const std::size_t point = number.find('.');
  decimal.whole = number.substr(0, point);
  if (point != std::string_view::npos) decimal.fraction = number.substr(point + 1);
  return decimal;
}

bool only_zeros(std::string_view digits) {
  return digits.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

std::optional<std::size_t> copy_string(std::string_view value, char* to, std::size_t size) noexcept {
  const auto raw = between_quotes(value);
  if (!raw) return std::nullopt;
  Copy copy(to, size);
  unescape_pieces(*raw, [&copy](std::string_view piece) { copy.add(piece); });
  return copy.finish();
}

std::string text_at(std::string_view document, std::string_view pointer) {
  std::string text;
  const auto raw = between_quotes(find_pointer(document, pointer).value_or(std::string_view()));
  if (raw) unescape(*raw, text);
  return text;
}

std::optional<std::int64_t> integer_of(std::string_view value) noexcept {
  if (!is_number(value)) return std::nullopt;
  const Decimal decimal = decimal_of(value);
  if (only_zeros(decimal.whole) && only_zeros(decimal.fraction)) return 0;
  // The digits before the point that the exponent puts into place.
  const auto digits = static_cast<std::int64_t>(decimal.whole.size()) + decimal.exponent;
  constexpr std::uint64_t kLimit = std::uint64_t{1} << 63;
  std::uint64_t magnitude = 0;
  for (std::int64_t i = 0;
       i < std::max<std::int64_t>(digits, static_cast<std::int64_t>(decimal.whole.size() + decimal.fraction.size()));
       ++i) {
    const auto at = static_cast<std::size_t>(i);
    char digit = '0';
    if (at < decimal.whole.size()) {
      digit = decimal.whole[at];
    } else if (at - decimal.whole.size() < decimal.fraction.size()) {
      digit = decimal.fraction[at - decimal.whole.size()];
    }
    if (i >= digits) {
      if (digit != '0') return std::nullopt;
      continue;
    }
    const auto add = static_cast<std::uint64_t>(digit - '0');
    if (magnitude > (kLimit - add) / 10) return std::nullopt;
    magnitude = magnitude * 10 + add;
  }
  if (magnitude > kLimit - (decimal.negative ? 0 : 1)) return std::nullopt;
  if (decimal.negative) return static_cast<std::int64_t>(~magnitude + 1);
  return static_cast<std::int64_t>(magnitude);
}

std::optional<double> double_of(std::string_view value) noexcept {
  if (!is_number(value)) return std::nullopt;
  double number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (failure == std::errc() && end == value.data() + value.size()) return number;
  if (failure != std::errc::result_out_of_range) return std::nullopt;
  const Decimal decimal = decimal_of(value);
  // Out of range on either side: the place of the first digit tells on which.
  std::int64_t place = static_cast<std::int64_t>(decimal.whole.size()) + decimal.exponent;
  if (only_zeros(decimal.whole)) {
    const std::size_t zeros = std::min(decimal.fraction.find_first_not_of('0'), decimal.fraction.size());
    place = decimal.exponent - static_cast<std::int64_t>(zeros);
  }
  if (place > 0) return std::nullopt;
  return decimal.negative ? -0.0 : 0.0;
}

std::optional<bool> boolean_of(std::string_view value) noexcept {
  if (value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> unix_milliseconds_of(std::string_view value) noexcept {
  const auto raw = between_quotes(value);
  if (!raw) return std::nullopt;
  TimeText text;
  unescape_pieces(*raw, [&text](std::string_view piece) { text.add(piece); });
  const auto whole = text.finish();
  const auto time = whole ? parse_rfc3339(*whole) : std::nullopt;
  if (!time) return std::nullopt;
  return time->seconds * 1000 + time->nanoseconds / 1'000'000;
}

namespace {

// Calls `each` with every element, or the name of every member, until it returns false. False: `value` is neither.
template <class Each>
bool for_each_inside(std::string_view value, Each&& each) {
  if (value.empty() || (value.front() != '{' && value.front() != '[')) return false;
  const bool object = value.front() == '{';
  TextCursor cursor(value);
  cursor.skip_byte();
  if (cursor.at(object ? '}' : ']')) return true;
  for (;;) {
    const std::string_view first = cursor.take_value();
    if (first.empty() || !each(first)) return true;
    if (object && (!cursor.take(':') || cursor.take_value().empty())) return true;
    if (!cursor.take(',')) return true;
  }
}

}  // namespace

std::optional<std::size_t> size_of(std::string_view value) noexcept {
  std::size_t count = 0;
  const bool counted = for_each_inside(value, [&count](std::string_view) {
    ++count;
    return true;
  });
  return counted ? std::optional(count) : std::nullopt;
}

std::optional<std::string_view> key_of(std::string_view value, std::size_t i) noexcept {
  if (value.empty() || value.front() != '{') return std::nullopt;
  std::optional<std::string_view> found;
  std::size_t place = 0;
  for_each_inside(value, [&](std::string_view key) {
    if (place++ != i) return true;
    found = key;
    return false;
  });
  return found;
}

}  // namespace ksr::json

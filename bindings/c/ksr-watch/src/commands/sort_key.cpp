#include "commands/sort_key.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <tuple>
#include <utility>

#include "base/text.hpp"
#include "commands/json_text.hpp"

namespace ksr::commands {
namespace {

using Amount = SortKey::Amount;

// k8s.io/apimachinery/pkg/api/resource/suffix.go
constexpr std::array<std::pair<std::string_view, int>, 10> kDecimalSuffixes{
    {{"", 0}, {"n", -9}, {"u", -6}, {"m", -3}, {"k", 3}, {"M", 6}, {"G", 9}, {"T", 12}, {"P", 15}, {"E", 18}}};
// Each stands for 1024 times the one before it.
constexpr std::array<std::string_view, 6> kBinarySuffixes{"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

// Below it a double holds each integer.
constexpr double kAllIntegers = 0x1p53;
constexpr std::size_t kMaxInteger = 400;

std::string_view take_digits(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

void multiply_by_1024(std::string& digits) {
  unsigned carry = 0;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit) {
    carry += static_cast<unsigned>(*digit - '0') * 1024;
    *digit = static_cast<char>('0' + carry % 10);
    carry /= 10;
  }
  if (carry > 0) digits.insert(0, std::to_string(carry));
}

// The power of ten; empty: it is no suffix of that kind.
std::optional<std::int64_t> decimal_exponent(std::string_view suffix) {
  for (const auto& [known, exponent] : kDecimalSuffixes) {
    if (suffix == known) return exponent;
  }
  if (suffix.front() != 'e' && suffix.front() != 'E') return std::nullopt;
  suffix.remove_prefix(1);
  if (suffix.size() > 1 && suffix.front() == '+' && is_digit(suffix[1])) suffix.remove_prefix(1);
  std::int32_t exponent = 0;
  const char* const last = suffix.data() + suffix.size();
  const auto [at, failure] = std::from_chars(suffix.data(), last, exponent);
  return failure == std::errc() && at == last ? std::optional<std::int64_t>(exponent) : std::nullopt;
}

bool apply_binary_suffix(Amount& amount, std::string_view suffix) {
  const auto place = std::find(kBinarySuffixes.begin(), kBinarySuffixes.end(), suffix);
  if (place == kBinarySuffixes.end()) return false;
  for (auto power = place - kBinarySuffixes.begin(); power >= 0; --power) {
    const std::size_t size = amount.digits.size();
    multiply_by_1024(amount.digits);
    amount.exponent += static_cast<std::int64_t>(amount.digits.size() - size);
  }
  return true;
}

// ParseQuantity there (quantity.go), without its bounds, and with a digit at least; empty: it is none. Numbers of JSON
// are among what it reads.
std::optional<Amount> read_amount(std::string_view text) {
  Amount amount;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    amount.is_negative = text.front() == '-';
    text.remove_prefix(1);
  }
  amount.digits = take_digits(text);
  amount.exponent = static_cast<std::int64_t>(amount.digits.size());
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    amount.digits += take_digits(text);
  }
  if (amount.digits.empty()) return std::nullopt;
  if (const auto exponent = decimal_exponent(text)) {
    amount.exponent += *exponent;
  } else if (!apply_binary_suffix(amount, text)) {
    return std::nullopt;
  }
  const std::size_t zeros = std::min(amount.digits.find_first_not_of('0'), amount.digits.size());
  amount.digits.erase(0, zeros);
  amount.digits.erase(amount.digits.find_last_not_of('0') + 1);
  amount.exponent -= static_cast<std::int64_t>(zeros);
  if (amount.digits.empty()) return Amount();
  return amount;
}

bool is_less(const Amount& a, const Amount& b) {
  const auto sign = [](const Amount& amount) { return amount.digits.empty() ? 0 : amount.is_negative ? -1 : 1; };
  if (sign(a) != sign(b)) return sign(a) < sign(b);
  const bool is_positive = sign(a) > 0;
  const Amount& less = is_positive ? a : b;
  const Amount& more = is_positive ? b : a;
  return std::tie(less.exponent, less.digits) < std::tie(more.exponent, more.digits);
}

// In full where the shortest text of a double is another integer.
std::string number_text(const boost::json::value& number) {
  if (!number.is_double()) return boost::json::serialize(number);
  const double value = number.get_double();
  if (std::abs(value) < kAllIntegers) return go_json_number(value);
  std::array<char, kMaxInteger> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, 0).ptr;
  return {text.data(), end};
}

}  // namespace

Expected<JsonPath> read_sort_by(const std::string& text) {
  Expected<JsonPath> path = !text.empty() && text.front() == '/' ? JsonPath::of_pointer(text) : JsonPath::parse(text);
  if (const Error* error = path.if_error()) return Error{Status::invalid, "--sort-by: " + error->message};
  return path;
}

SortKey::SortKey(const JsonPath& path, const boost::json::value& object) {
  const auto found = path.find(object);
  if (!found || found->empty()) return;
  const boost::json::value& value = *found->front();
  if (value.is_null()) {
    kind_ = Kind::nothing;
  } else if (value.is_number()) {
    kind_ = Kind::number;
    amount_ = read_amount(number_text(value)).value_or(Amount());
  } else {
    kind_ = Kind::text;
    text_ = go_text(value);
    std::optional<Amount> amount = read_amount(text_);
    is_quantity_ = amount.has_value();
    amount_ = std::move(amount).value_or(Amount());
  }
}

bool SortKey::operator<(const SortKey& other) const {
  if (kind_ != other.kind_) return kind_ < other.kind_;
  if (kind_ == Kind::number || (is_quantity_ && other.is_quantity_)) return is_less(amount_, other.amount_);
  return text_ < other.text_;
}

}  // namespace ksr::commands

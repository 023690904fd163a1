#include "commands/durations.hpp"

#include <algorithm>
#include <string>

#include "base/option_text.hpp"
#include "base/text.hpp"

namespace ksr::commands {
namespace {

constexpr std::int64_t kMaxHours = 1'000'000;
constexpr std::int64_t kMsPerHour = 3'600'000;
constexpr std::size_t kMaxFraction = 9;

std::string_view take_while(std::string_view& text, bool (*fits)(char)) {
  const auto end = std::find_if_not(text.begin(), text.end(), fits);
  const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

Error wrong() {
  return {Status::invalid, "expected a duration such as 30s or 1h30m"};
}

Expected<Milliseconds> with_fraction(std::string_view whole, std::string_view fraction, std::string_view unit) {
  const Expected<Milliseconds> least = parse_duration(std::string(whole) + std::string(unit));
  const Expected<Milliseconds> one = parse_duration("1" + std::string(unit));
  if (!least || !one || fraction.size() > kMaxFraction) return wrong();
  std::int64_t part = one->count();
  std::int64_t added = 0;
  std::int64_t divisor = 1;
  for (const char digit : fraction) {
    divisor *= 10;
    added += (digit - '0') * part / divisor;
  }
  return *least + Milliseconds(added);
}

}  // namespace

Expected<Milliseconds> read_duration(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), is_digit)) {
    const Expected<Milliseconds> seconds = parse_duration(std::string(text) + "s");
    if (!seconds) return wrong();
    return seconds;
  }
  if (text.empty()) return wrong();
  Milliseconds sum{0};
  while (!text.empty()) {
    const std::string_view whole = take_while(text, is_digit);
    std::string_view fraction;
    if (!text.empty() && text.front() == '.') {
      text.remove_prefix(1);
      fraction = take_while(text, is_digit);
    }
    const std::string_view unit = take_while(text, [](char c) { return is_lower(c); });
    if (whole.empty() && fraction.empty()) return wrong();
    const Expected<Milliseconds> part = with_fraction(whole.empty() ? "0" : whole, fraction, unit);
    if (!part || part->count() > kMaxHours * kMsPerHour) return wrong();
    sum += *part;
  }
  return sum;
}

}  // namespace ksr::commands

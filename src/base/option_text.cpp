#include "base/option_text.hpp"

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr {
namespace {

// The number at the head of `text`, which is cut off; empty without digits or beyond 64 bits.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<std::uint64_t> times(std::uint64_t number, std::uint64_t factor, std::uint64_t max) {
  if (number > max / factor) return std::nullopt;
  return number * factor;
}

}  // namespace

Error expected(std::string what) {
  return Error{Status::invalid, "expected " + std::move(what)};
}

Expected<bool> parse_boolean(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return expected("true or false");
}

Expected<Milliseconds> parse_duration(std::string_view text) {
  const Error error = expected("a duration such as 800ms, 30s or 5m");
  const std::optional<std::uint64_t> number = take_number(text);
  if (!number) return error;
  std::uint64_t unit = 0;
  if (text == "ms" || (text.empty() && *number == 0)) unit = 1;
  if (text == "s") unit = 1000;
  if (text == "m") unit = 60'000;
  if (text == "h") unit = 3'600'000;
  if (unit == 0) return error;
  // A hundred years: safe to add to a point in time.
  constexpr std::uint64_t kMaxDays = 36'600;
  constexpr std::uint64_t kMaxMilliseconds = kMaxDays * 24 * 60 * 60 * 1000;
  const std::optional<std::uint64_t> milliseconds = times(*number, unit, kMaxMilliseconds);
  if (!milliseconds) return expected("a duration of at most 36600 days");
  return Milliseconds(static_cast<Milliseconds::rep>(*milliseconds));
}

Expected<std::uint64_t> parse_size(std::string_view text) {
  const Error error = expected("a size in bytes such as 4096, 512Ki or 64Mi");
  const std::optional<std::uint64_t> number = take_number(text);
  if (!number) return error;
  std::uint64_t unit = 0;
  if (text.empty()) unit = 1;
  if (text == "Ki") unit = std::uint64_t{1} << 10;
  if (text == "Mi") unit = std::uint64_t{1} << 20;
  if (text == "Gi") unit = std::uint64_t{1} << 30;
  if (unit == 0) return error;
  const std::optional<std::uint64_t> bytes = times(*number, unit, std::numeric_limits<std::int64_t>::max());
  if (!bytes) return error;
  return *bytes;
}

Expected<std::uint64_t> parse_count(std::string_view text) {
  const std::optional<std::uint64_t> number = take_number(text);
  if (!number || !text.empty()) return expected("a whole number");
  return *number;
}

std::vector<std::string> parse_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view name = trimmed(text.substr(0, comma), kBlanks);
    if (!name.empty()) names.emplace_back(name);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  }
  return names;
}

}  // namespace ksr

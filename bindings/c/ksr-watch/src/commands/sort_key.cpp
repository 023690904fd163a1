#include "commands/sort_key.hpp"

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr::commands {
namespace {

// k8s.io/apimachinery/pkg/api/resource, ParseQuantity.
constexpr std::array<std::pair<std::string_view, double>, 15> kSuffixes{{{"", 1},
                                                                         {"n", 1e-9},
                                                                         {"u", 1e-6},
                                                                         {"m", 1e-3},
                                                                         {"k", 1e3},
                                                                         {"M", 1e6},
                                                                         {"G", 1e9},
                                                                         {"T", 1e12},
                                                                         {"P", 1e15},
                                                                         {"E", 1e18},
                                                                         {"Ki", 0x1p10},
                                                                         {"Mi", 0x1p20},
                                                                         {"Gi", 0x1p30},
                                                                         {"Ti", 0x1p40},
                                                                         {"Pi", 0x1p50}}};

std::optional<double> quantity(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double number = 0;
  const char* const last = text.data() + text.size();
  const auto [at, failure] = std::from_chars(text.data(), last, number);
  if (failure != std::errc() || (!is_digit(*(at - 1)) && *(at - 1) != '.')) return std::nullopt;
  const std::string_view suffix = text.substr(static_cast<std::size_t>(at - text.data()));
  for (const auto& [known, factor] : kSuffixes) {
    if (suffix == known) return number * factor;
  }
  return suffix == "Ei" ? std::optional(number * 0x1p60) : std::nullopt;
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
    number_ = value.to_number<double>();
  } else {
    kind_ = Kind::text;
    text_ = scalar_text(value);
    const std::optional<double> amount = quantity(text_);
    is_quantity_ = amount.has_value();
    number_ = amount.value_or(0);
  }
}

bool SortKey::operator<(const SortKey& other) const {
  if (kind_ != other.kind_) return kind_ < other.kind_;
  if (kind_ == Kind::number || (is_quantity_ && other.is_quantity_)) return number_ < other.number_;
  return text_ < other.text_;
}

}  // namespace ksr::commands

// `SortKey` is where an object comes in the order of --sort-by; used by get, and for the tables of watch. Any thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "commands/json_path.hpp"

namespace ksr::commands {

// The path of --sort-by: a JSONPath, or a JSON pointer. The error names the option.
Expected<JsonPath> read_sort_by(const std::string& text);

class SortKey {
 public:
  SortKey() = default;
  SortKey(const JsonPath& path, const boost::json::value& object);

  // The path leads to nothing.
  bool is_missing() const noexcept { return kind_ == Kind::missing; }
  // What is missing comes first, then numbers, then texts; quantities such as 1Gi by what they stand for.
  bool operator<(const SortKey& other) const;

  // A number as it is written, which no double holds in full: 0.DIGITS times ten to the power of `exponent`.
  struct Amount {
    bool is_negative = false;
    std::string digits;  // neither begin nor end with a zero; none: 0
    std::int64_t exponent = 0;
  };

 private:
  enum class Kind : std::uint8_t { missing, nothing, number, text };

  Kind kind_ = Kind::missing;
  bool is_quantity_ = false;
  Amount amount_;
  std::string text_;
};

}  // namespace ksr::commands

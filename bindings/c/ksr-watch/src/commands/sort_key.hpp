// `SortKey` is where an object comes in the order of --sort-by; used by get, and for the tables of watch. Any thread.
#pragma once

#include <boost/json.hpp>

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

 private:
  enum class Kind : std::uint8_t { missing, nothing, number, text };

  Kind kind_ = Kind::missing;
  bool is_quantity_ = false;
  double number_ = 0;
  std::string text_;
};

}  // namespace ksr::commands

// `WaitCondition` is one --for of `ksr wait`, and whether it is met; used by wait. Any thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "commands/json_path.hpp"

namespace ksr::commands {

class WaitCondition {
 public:
  enum class Kind : std::uint8_t { created, deleted, condition, value };

  // create, delete, condition=NAME[=VALUE], jsonpath=EXPRESSION[=VALUE], or POINTER[=VALUE].
  static Expected<WaitCondition> parse(const std::string& text);

  Kind kind() const noexcept { return kind_; }
  // Of an object that is there. An error ends the wait.
  Expected<bool> is_met(const boost::json::value& object) const;

 private:
  Expected<bool> has_condition(const boost::json::value& object) const;
  Expected<bool> has_value(const boost::json::value& object) const;

  Kind kind_ = Kind::created;
  std::string name_;                  // of the condition
  std::optional<std::string> value_;  // that is expected; empty: any
  JsonPath path_;
};

}  // namespace ksr::commands

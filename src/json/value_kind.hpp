// `ValueKind` is the kind of a JSON value, with its name for error messages; used in json. Any thread.
#pragma once

#include <cstdint>

namespace ksr::json {

enum class ValueKind : std::uint8_t { object, array, string, number, boolean, null };

inline const char* kind_name(ValueKind kind) noexcept {
  switch (kind) {
    case ValueKind::object:
      return "an object";
    case ValueKind::array:
      return "an array";
    case ValueKind::string:
      return "a string";
    case ValueKind::number:
      return "a number";
    case ValueKind::boolean:
      return "a boolean";
    case ValueKind::null:
      return "null";
  }
  return "";
}

}  // namespace ksr::json

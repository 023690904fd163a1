// `has` looks for a part of a text; used by tests. Any thread.
#pragma once

#include <string_view>

namespace ksr::testing {

inline bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace ksr::testing

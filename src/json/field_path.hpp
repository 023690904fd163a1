// `FieldPath` is a JSON pointer in which `*` stands for any member or element: what the config keys keep_fields,
// drop_fields and columns take; used by FieldFilter and stream/config_keys. Pure. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace ksr::json {

struct FieldStep {
  std::string name;  // decoded
  bool any = false;
};

using FieldPath = std::vector<FieldStep>;

inline constexpr std::size_t kMaxFieldPaths = 1000;

// Blank-separated pointers (RFC 6901), at most kMaxFieldPaths, of a member at least: "" and "/*" name no field. Errors
// say what is expected.
Expected<std::vector<FieldPath>> parse_field_paths(std::string_view text);

// Whether it may name several values.
bool names_several(const FieldPath& path) noexcept;

}  // namespace ksr::json

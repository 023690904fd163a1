// Comparisons of resourceVersions as the store needs them; used in store. Versions that do not compare
// (base/resource_version.hpp) are only equal or different. Any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/resource_version.hpp"

namespace ksr::store {

inline bool is_older(std::string_view version, std::string_view than) noexcept {
  return compare_resource_versions(version, than).value_or(0) < 0;
}

inline bool is_newer(std::string_view version, std::string_view than) noexcept {
  return compare_resource_versions(version, than).value_or(0) > 0;
}

// Whether an event of this version changes what is held at that one. Where nothing can be compared, the order of
// arrival is the best there is. Without a version every event counts as newer.
inline bool supersedes(std::string_view version, std::string_view held) noexcept {
  const std::optional<int> order = compare_resource_versions(version, held);
  return order ? *order > 0 : version != held || version.empty();
}

}  // namespace ksr::store

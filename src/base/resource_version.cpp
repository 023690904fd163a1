#include "base/resource_version.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace ksr {
namespace {

bool well_formed(std::string_view version) noexcept {
  // Not the function itself: it would be called for each byte.
  return !version.empty() && version.front() != '0' &&
         std::all_of(version.begin(), version.end(), [](char c) noexcept { return is_digit(c); });
}

}  // namespace

std::optional<int> compare_resource_versions(std::string_view a, std::string_view b) noexcept {
  if (!well_formed(a) || !well_formed(b)) return std::nullopt;
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

}  // namespace ksr

// `compare_resource_versions` orders resource versions; used by the store and the reflector. Pure, any thread.
#pragma once

#include <optional>
#include <string_view>

namespace ksr {

// Negative, zero or positive as `a` is older than, the same as or newer than `b`; empty when either is not a decimal
// number without leading zeros above 0 (k8s.io/apimachinery/pkg/util/resourceversion, KEP-5504: length first, then
// bytes).
std::optional<int> compare_resource_versions(std::string_view a, std::string_view b) noexcept;

}  // namespace ksr

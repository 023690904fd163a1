// One kind of resource as requests name it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr::cluster {

struct Resource {
  std::string root;    // "/api/v1", "/apis/apps/v1"
  std::string plural;  // "pods"
  // Empty where it is not known (no discovery was needed).
  std::optional<bool> namespaced;
  // "v1/pods", for messages.
  std::string display;
};

// group/version/resource, version/resource of the core group, or a path such as /api/v1/pods or
// /apis/apps/v1/deployments. Empty value: it is a name for discovery to resolve. Error: it is nothing at all.
Expected<std::optional<Resource>> parse_resource(std::string_view text);

}  // namespace ksr::cluster

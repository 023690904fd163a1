// `Resource` is one kind of resource as request targets name it, `parse_resource` reads one from a config value; used
// by queries and discovery. Pure, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"

namespace ksr::cluster {

struct Resource {
  std::string root;    // "/api/v1", "/apis/apps/v1"
  std::string plural;  // "pods"
  // Empty while it is not known: no discovery was needed.
  std::optional<bool> namespaced;
  // "v1/pods", for messages.
  std::string display;
  // "Pod"; empty while it is not known.
  std::string kind = {};
};

// Requests for both are the same.
bool operator==(const Resource& a, const Resource& b) noexcept;

// group/version/resource, version/resource of the core group, or a path such as /api/v1/pods or
// /apis/apps/v1/deployments. Empty: it is a name that discovery has to resolve. Error: it is not a valid resource.
Expected<std::optional<Resource>> parse_resource(std::string_view text);
// They are valid, and need no discovery.
bool are_full_names(const std::vector<std::string>& names);

// "v1", "apps/v1".
std::string api_version_of(const Resource& resource);

// v1, v1beta1, v2alpha3 (k8s.io/apimachinery/pkg/util/version/version.go, kubeVersionRegex), but for its end: which
// versions there are is for the server to say.
bool is_core_version(std::string_view text) noexcept;

// A label of RFC 1123, section 2.1, in lower case: what a namespace, a version or a plural may be.
bool is_dns_label(std::string_view text) noexcept;
// Labels joined by dots: what an API group may be.
bool is_dns_subdomain(std::string_view text);

}  // namespace ksr::cluster

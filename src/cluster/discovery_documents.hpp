// The JSON of discovery: aggregated (apidiscovery.k8s.io v2, v2beta1) and the older kind, document by document. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/expected.hpp"
#include "cluster/rest_mapper.hpp"

namespace ksr::cluster {

// Aggregated discovery where the server has it, else the older documents (KEP-3352).
inline constexpr const char* kDiscoveryAccept =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

struct GroupVersion {
  std::string group;
  std::string version;
  // "/api/v1", "/apis/apps/v1"
  std::string path() const;
};

// The answer to GET /api or GET /apis.
struct DiscoveryRoot {
  // Aggregated: everything is here. Else only which documents to ask for, the preferred version of a group first.
  bool aggregated = false;
  std::vector<ApiResource> resources;
  std::vector<GroupVersion> group_versions;
};

Expected<DiscoveryRoot> parse_discovery_root(std::string_view body);
// The answer to GET /api/v1 or GET /apis/GROUP/VERSION.
Expected<std::vector<ApiResource>> parse_resource_list(std::string_view body, const GroupVersion& of);

}  // namespace ksr::cluster

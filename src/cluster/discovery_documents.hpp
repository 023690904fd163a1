// `parse_discovery_root` and `parse_resource_list` read the JSON of discovery: aggregated (apidiscovery.k8s.io v2 and
// v2beta1) or one document for each group version; used by DiscoveryRun and ScopeCache. Pure, any thread.
#pragma once

#include <optional>
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

// A group version of a root.
struct DiscoveredVersion {
  GroupVersion of;
  // Empty: its own document is to be fetched. The server has no aggregated discovery, or could not read that document
  // itself (freshness Stale, k8s.io/kube-aggregator/pkg/apiserver/handler_discovery.go) and knows none of before.
  std::optional<std::vector<ApiResource>> resources = std::nullopt;
};

// The response to GET /api or GET /apis.
struct DiscoveryRoot {
  // Groups as they come, a group's preferred version first.
  std::vector<DiscoveredVersion> versions;
};

Expected<DiscoveryRoot> parse_discovery_root(std::string_view body);
// The response to GET /api/v1 or GET /apis/GROUP/VERSION.
Expected<std::vector<ApiResource>> parse_resource_list(std::string_view body, const GroupVersion& of);

}  // namespace ksr::cluster

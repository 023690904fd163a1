// Discovery: documents of /api, /apis and of a group version. What is found by a name can be asked for.
#include "base/text.hpp"
#include "base/url.hpp"
#include "cluster/discovery_documents.hpp"
#include "cluster/query.hpp"
#include "cluster/rest_mapper.hpp"
#include "fuzz/fuzz.hpp"
#include "transport/header_rules.hpp"

namespace {

using namespace ksr::cluster;
using ksr::fuzz::require;

void check(const std::vector<ApiResource>& resources, const std::string& name) {
  RestMapper mapper;
  for (const ApiResource& resource : resources) {
    const std::string target = list_target(resource.as_resource(), {}, resource.namespaced ? "a" : "", {});
    require(ksr::transport::is_request_target(target), "a resource that cannot be asked for: " + target);
    mapper.add(resource);
    require(mapper.find_exact(resource.as_resource()) != nullptr, "a resource that is not found: " + resource.plural);
  }
  const auto found = mapper.find(name);
  if (!found) {
    require(!ksr::has_control_characters(found.error().message), "a message of several lines");
    return;
  }
  require(mapper.find_exact(*found) != nullptr, "a resource that is not served was found");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ksr::fuzz::Input input(data, size);
  const std::string name(input.line());
  const std::string_view body = input.rest();
  if (const auto root = parse_discovery_root(body)) {
    for (const DiscoveredVersion& version : root->versions) {
      if (version.resources) {
        check(*version.resources, name);
      } else {
        require(ksr::transport::is_request_target(version.of.path()), "a document that cannot be asked for");
      }
    }
  } else {
    require(!ksr::has_control_characters(root.error().message), "a message of several lines");
  }
  for (const GroupVersion& version : {GroupVersion{"", "v1"}, GroupVersion{"apps", "v1"}}) {
    const auto list = parse_resource_list(body, version);
    if (list) check(*list, name);
  }
  return 0;
}

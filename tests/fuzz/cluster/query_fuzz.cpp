// Resources, namespaces, selectors and NO_PROXY lists: what is taken makes a valid request target.
#include "base/text.hpp"
#include "base/url.hpp"
#include "cluster/proxy_environment.hpp"
#include "cluster/query.hpp"
#include "cluster/resource.hpp"
#include "fuzz/fuzz.hpp"
#include "transport/header_rules.hpp"

namespace {

using namespace ksr::cluster;
using ksr::fuzz::require;

void check_targets(const QueryOptions& query, const Resource& resource, const std::string& text) {
  ksr::ListOptions list;
  list.resource_version = text;
  list.continue_token = text;
  list.limit = 500;
  ksr::WatchOptions watch;
  watch.resource_version = text;
  for (const std::string& name_space : query.namespaces) {
    for (const std::string& target :
         {list_target(resource, query, name_space, list), watch_target(resource, query, name_space, watch)}) {
      require(ksr::transport::is_request_target(target), "no request target: " + target);
      require(std::count(target.begin(), target.end(), '?') == 1, "two queries: " + target);
      require(ksr::percent_decode(target.substr(target.find("ersion=") + 7)).has_value(), "not encoded: " + target);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ksr::fuzz::Input input(data, size);
  const std::string name(input.line());
  QueryOptions query;
  query.resources = {name};
  query.namespaces = {std::string(input.line())};
  query.label_selector = input.line();
  query.field_selector = input.line();
  const std::string rest(input.rest());
  const auto resource = parse_resource(name);
  const auto valid = validate_query(query);
  if (valid) require(resource.has_value(), "a query with an invalid resource");
  if (!valid) require(!ksr::has_control_characters(valid.error().message), "a message of several lines");
  if (valid && *resource) check_targets(query, **resource, rest);

  if (const auto server = ksr::parse_server_url("server", "https://" + name)) {
    bypasses_proxy(*server, rest);
    require(bypasses_proxy(*server, rest + ",*"), "* does not bypass the proxy");
    require(bypasses_proxy(*server, server->host), "a host does not bypass the proxy by its own name: " + server->host);
  }
  return 0;
}

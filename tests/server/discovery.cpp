#include "server/discovery.hpp"

#include <boost/json.hpp>

namespace ksr::testserver {
namespace {

namespace json = boost::json;

const char* const kAggregatedType = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

json::array short_names(const ResourceType& type) {
  json::array names;
  for (const std::string& name : type.short_names) names.emplace_back(name);
  return names;
}

const json::array& verbs() {
  static const auto* const all =
      new json::array{"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
  return *all;
}

std::string group_version(const std::string& group, const std::string& version) {
  return group.empty() ? version : group + "/" + version;
}

json::object resource_list(const ResourceTypes& types, const std::string& group, const std::string& version) {
  json::array resources;
  for (const ResourceType* type : types.of_version(group, version)) {
    json::object entry{{"name", type->plural},
                       {"singularName", type->singular},
                       {"namespaced", type->namespaced},
                       {"kind", type->kind},
                       {"verbs", verbs()}};
    if (!type->short_names.empty()) entry["shortNames"] = short_names(*type);
    resources.emplace_back(std::move(entry));
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", group_version(group, version)},
          {"resources", std::move(resources)}};
}

json::object group_entry(const ResourceTypes& types, const std::string& group) {
  json::array versions;
  for (const std::string& version : types.versions(group)) {
    versions.push_back({{"groupVersion", group_version(group, version)}, {"version", version}});
  }
  json::object entry{{"name", group}, {"versions", versions}, {"preferredVersion", versions.front()}};
  return entry;
}

json::object aggregated_group(const ResourceTypes& types, const std::string& group) {
  json::array versions;
  for (const std::string& version : types.versions(group)) {
    json::array resources;
    for (const ResourceType* type : types.of_version(group, version)) {
      json::object entry{{"resource", type->plural},
                         {"responseKind", {{"group", group}, {"version", version}, {"kind", type->kind}}},
                         {"scope", type->namespaced ? "Namespaced" : "Cluster"},
                         {"singularResource", type->singular},
                         {"verbs", verbs()}};
      if (!type->short_names.empty()) entry["shortNames"] = short_names(*type);
      resources.emplace_back(std::move(entry));
    }
    versions.push_back({{"version", version}, {"resources", std::move(resources)}, {"freshness", "Current"}});
  }
  json::object metadata;
  if (!group.empty()) metadata["name"] = group;
  return {{"metadata", std::move(metadata)}, {"versions", std::move(versions)}};
}

json::object aggregated(const ResourceTypes& types, bool core) {
  json::array items;
  if (core) items.emplace_back(aggregated_group(types, ""));
  if (!core) {
    for (const std::string& group : types.groups()) items.emplace_back(aggregated_group(types, group));
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", json::object()},
          {"items", std::move(items)}};
}

json::object plain(const ApiRequest& request, const ResourceTypes& types) {
  const auto& segments = request.target.segments;
  if (segments[0] == "api") {
    if (segments.size() == 2) return resource_list(types, "", segments[1]);
    return {{"kind", "APIVersions"}, {"versions", {"v1"}}};
  }
  if (segments.size() == 3) return resource_list(types, segments[1], segments[2]);
  if (segments.size() == 2) {
    json::object group = group_entry(types, segments[1]);
    group["kind"] = "APIGroup";
    group["apiVersion"] = "v1";
    return group;
  }
  json::array groups;
  for (const std::string& group : types.groups()) groups.emplace_back(group_entry(types, group));
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

}  // namespace

Reply discovery_document(const ApiRequest& request, const ResourceTypes& types, bool aggregated_known) {
  Reply reply;
  const bool asked = request.header("Accept").find("APIGroupDiscoveryList") != std::string::npos;
  if (aggregated_known && asked && request.target.segments.size() == 1) {
    reply.content_type = kAggregatedType;
    reply.body = json::serialize(aggregated(types, request.target.segments[0] == "api")) + "\n";
  } else {
    reply.body = json::serialize(plain(request, types)) + "\n";
  }
  return reply;
}

}  // namespace ksr::testserver

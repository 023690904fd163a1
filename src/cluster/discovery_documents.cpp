#include "cluster/discovery_documents.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "base/escapes.hpp"
#include "base/text.hpp"
#include "cluster/bounded_json.hpp"

namespace ksr::cluster {
namespace {

// More than any cluster has; each group version may be a request.
constexpr std::size_t kMaxResources = 50'000;
constexpr std::size_t kMaxGroupVersions = 2'000;

// Lenient: what is absent or of another type is empty, and an entry without a valid name is skipped.
std::string text_of(const boost::json::object& object, const char* name) {
  const boost::json::value* value = object.if_contains(name);
  const boost::json::string* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? "" : std::string(text->data(), text->size());
}

const boost::json::object& object_of(const boost::json::object& object, const char* name) {
  static const boost::json::object* const empty = new boost::json::object;
  const boost::json::value* value = object.if_contains(name);
  return value != nullptr && value->is_object() ? value->get_object() : *empty;
}

std::vector<const boost::json::object*> objects_of(const boost::json::object& object, const char* name) {
  std::vector<const boost::json::object*> objects;
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return objects;
  for (const boost::json::value& item : value->get_array()) {
    if (item.is_object()) objects.push_back(&item.get_object());
  }
  return objects;
}

std::vector<std::string> texts_of(const boost::json::object& object, const char* name) {
  std::vector<std::string> texts;
  const boost::json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array()) return texts;
  for (const boost::json::value& item : value->get_array()) {
    if (const boost::json::string* text = item.if_string()) texts.emplace_back(text->data(), text->size());
  }
  return texts;
}

// What cannot be watched is listed again and again.
bool has_list(const std::vector<std::string>& verbs) {
  return std::find(verbs.begin(), verbs.end(), "list") != verbs.end();
}

// Resources whose names cannot be part of a path are skipped.
bool is_valid(const ApiResource& resource) {
  return is_dns_label(resource.plural) && is_dns_label(resource.version) &&
         (resource.group.empty() || is_dns_subdomain(resource.group));
}

bool add_if_valid(std::vector<ApiResource>& resources, ApiResource resource) {
  if (resource.singular.empty()) resource.singular = lower_case(resource.kind);
  const bool added = is_valid(resource) && resources.size() < kMaxResources;
  if (added) resources.push_back(std::move(resource));
  return added;
}

// One that the caller can fetch.
void add_to_fetch(std::vector<DiscoveredVersion>& versions, GroupVersion of) {
  const bool valid = is_dns_label(of.version) && (of.group.empty() || is_dns_subdomain(of.group));
  if (valid && versions.size() < kMaxGroupVersions) versions.push_back({std::move(of)});
}

// `count`: of those in the versions before.
std::vector<ApiResource> aggregated_resources(const boost::json::object& version, const GroupVersion& of,
                                              std::size_t& count) {
  std::vector<ApiResource> resources;
  for (const boost::json::object* entry : objects_of(version, "resources")) {
    ApiResource resource;
    resource.group = of.group;
    resource.version = of.version;
    resource.plural = text_of(*entry, "resource");
    resource.singular = text_of(*entry, "singularResource");
    resource.kind = text_of(object_of(*entry, "responseKind"), "kind");
    resource.short_names = texts_of(*entry, "shortNames");
    resource.categories = texts_of(*entry, "categories");
    resource.namespaced = text_of(*entry, "scope") == "Namespaced";
    resource.listable = has_list(texts_of(*entry, "verbs"));
    if (count < kMaxResources && add_if_valid(resources, std::move(resource))) ++count;
  }
  return resources;
}

std::vector<DiscoveredVersion> aggregated_versions(const boost::json::object& root) {
  std::vector<DiscoveredVersion> versions;
  std::size_t count = 0;
  for (const boost::json::object* group : objects_of(root, "items")) {
    const std::string group_name = text_of(object_of(*group, "metadata"), "name");
    for (const boost::json::object* version : objects_of(*group, "versions")) {
      GroupVersion of{group_name, text_of(*version, "version")};
      std::vector<ApiResource> resources = aggregated_resources(*version, of, count);
      if (!resources.empty()) {
        versions.push_back({std::move(of), std::move(resources)});
      } else if (text_of(*version, "freshness") == "Stale") {
        add_to_fetch(versions, std::move(of));
      }
    }
  }
  return versions;
}

void add_versions(const boost::json::object& group, std::vector<DiscoveredVersion>& discovered) {
  const std::string name = text_of(group, "name");
  if (!is_dns_subdomain(name)) return;
  const std::string preferred = text_of(object_of(group, "preferredVersion"), "version");
  std::vector<std::string> versions;
  for (const boost::json::object* version : objects_of(group, "versions"))
    versions.push_back(text_of(*version, "version"));
  std::stable_partition(versions.begin(), versions.end(), [&](const auto& version) { return version == preferred; });
  for (const std::string& version : versions) add_to_fetch(discovered, {name, version});
}

Expected<boost::json::value> parsed(std::string_view body) {
  auto value = parse_bounded_json(body);
  if (!value) {
    // As client-go reads what another API server wrote.
    const std::string mended = json_as_unicode(body);
    if (mended != body) value = parse_bounded_json(mended);
  }
  if (!value || !value->is_object()) {
    return Error{Status::protocol, "discovery: the response is not a JSON object, or is too large"};
  }
  return *std::move(value);
}

}  // namespace

std::string GroupVersion::path() const {
  return group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
}

Expected<DiscoveryRoot> parse_discovery_root(std::string_view body) {
  const auto value = parsed(body);
  if (!value) return value.error();
  const boost::json::object& object = value->get_object();
  const std::string kind = text_of(object, "kind");
  DiscoveryRoot root;
  if (kind == "APIGroupDiscoveryList") {
    root.versions = aggregated_versions(object);
  } else if (kind == "APIVersions") {
    for (std::string& version : texts_of(object, "versions")) add_to_fetch(root.versions, {"", std::move(version)});
  } else if (kind == "APIGroupList") {
    for (const boost::json::object* group : objects_of(object, "groups")) add_versions(*group, root.versions);
  } else {
    return Error{Status::protocol, "discovery: the response is of kind " + in_quotes(kind) +
                                       "; expected APIGroupDiscoveryList, APIVersions or APIGroupList"};
  }
  return root;
}

Expected<std::vector<ApiResource>> parse_resource_list(std::string_view body, const GroupVersion& of) {
  const auto value = parsed(body);
  if (!value) return value.error();
  if (text_of(value->get_object(), "kind") != "APIResourceList") {
    return Error{Status::protocol, "discovery: the response to GET " + of.path() + " is not an APIResourceList"};
  }
  std::vector<ApiResource> resources;
  for (const boost::json::object* entry : objects_of(value->get_object(), "resources")) {
    ApiResource resource;
    resource.group = of.group;
    resource.version = of.version;
    resource.plural = text_of(*entry, "name");
    resource.singular = text_of(*entry, "singularName");
    resource.kind = text_of(*entry, "kind");
    resource.short_names = texts_of(*entry, "shortNames");
    resource.categories = texts_of(*entry, "categories");
    const boost::json::value* namespaced = entry->if_contains("namespaced");
    resource.namespaced = namespaced != nullptr && namespaced->is_bool() && namespaced->get_bool();
    resource.listable = has_list(texts_of(*entry, "verbs"));
    add_if_valid(resources, std::move(resource));
  }
  return resources;
}

}  // namespace ksr::cluster

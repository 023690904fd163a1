#include "cluster/rest_mapper.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

bool has_short_name(const ApiResource& resource, const std::string& name) {
  return std::find(resource.short_names.begin(), resource.short_names.end(), name) != resource.short_names.end();
}

using NameRule = bool (*)(const ApiResource&, const std::string&);

bool is_plural(const ApiResource& resource, const std::string& name) {
  return resource.plural == name;
}

bool is_singular_or_kind(const ApiResource& resource, const std::string& name) {
  return resource.singular == name || lower_case(resource.kind) == name;
}

}  // namespace

Resource ApiResource::as_resource() const {
  const std::string root = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
  return {root, plural, namespaced, (group.empty() ? "" : group + "/") + version + "/" + plural, kind};
}

const ApiResource* RestMapper::find(const Wanted& wanted) const {
  using GroupRule = bool (*)(const std::string& group, const std::string& wanted);
  const GroupRule equal = [](const std::string& group, const std::string& name) { return group == name; };
  const GroupRule begins = [](const std::string& group, const std::string& name) { return group.rfind(name, 0) == 0; };
  for (const GroupRule fits_group : {equal, begins}) {
    for (const NameRule fits_name : {NameRule(is_plural), NameRule(has_short_name), NameRule(is_singular_or_kind)}) {
      for (const ApiResource& resource : resources_) {
        if (!fits_name(resource, wanted.name)) continue;
        if (!wanted.any_group && !fits_group(resource.group, wanted.group)) continue;
        if (!wanted.version.empty() && resource.version != wanted.version) continue;
        return &resource;
      }
    }
    if (wanted.any_group || wanted.group.empty()) return nullptr;
  }
  return nullptr;
}

Expected<Resource> RestMapper::find(std::string_view text, bool listable_only) const {
  const std::string name = lower_case(text);
  const std::size_t first = name.find('.');
  const std::string plain = name.substr(0, first);
  const ApiResource* found = nullptr;
  if (first == std::string::npos) {
    found = find(Wanted{plain, "", "", true});
  } else {
    const std::string rest = name.substr(first + 1);
    const std::size_t second = rest.find('.');
    // deployments.v1.apps, then pods.v1 of the core group, then ingresses.networking.k8s.io.
    const std::string group = second == std::string::npos ? "" : rest.substr(second + 1);
    found = find(Wanted{plain, rest.substr(0, second), group, false});
    if (found == nullptr) found = find(Wanted{plain, "", rest, false});
  }
  if (found == nullptr)
    return Error{Status::not_found, "the server has no resource " + in_quotes(text), "NotFound", 404};
  if (listable_only && !found->listable) {
    return Error{Status::invalid, "resource: " + in_quotes(text) + " (" + found->as_resource().display +
                                      ") cannot be listed; expected another resource"};
  }
  return found->as_resource();
}

// k8s.io/client-go/restmapper/shortcut.go, expandResourceShortcut.
std::vector<std::string> RestMapper::others_of_short_name(std::string_view text) const {
  const std::string name = lower_case(text);
  std::vector<std::string> others;
  std::set<std::pair<std::string, std::string>> seen;
  for (const ApiResource& resource : resources_) {
    if (is_plural(resource, name)) return {};
    if (!has_short_name(resource, name) || !seen.emplace(resource.group, resource.plural).second) continue;
    if (seen.size() > 1) others.push_back(resource.plural + (resource.group.empty() ? "" : "." + resource.group));
  }
  return others;
}

std::vector<Resource> RestMapper::in_category(std::string_view name) const {
  std::vector<Resource> resources;
  std::set<std::pair<std::string, std::string>> seen;
  for (const ApiResource& resource : resources_) {
    const auto& categories = resource.categories;
    if (std::find(categories.begin(), categories.end(), name) == categories.end()) continue;
    if (seen.emplace(resource.group, resource.plural).second) resources.push_back(resource.as_resource());
  }
  return resources;
}

const ApiResource* RestMapper::find_exact(const Resource& wanted) const {
  const auto same = [&](const ApiResource& resource) {
    return resource.plural == wanted.plural && resource.as_resource().root == wanted.root;
  };
  const auto found = std::find_if(resources_.begin(), resources_.end(), same);
  return found == resources_.end() ? nullptr : &*found;
}

}  // namespace ksr::cluster

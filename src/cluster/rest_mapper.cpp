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

Expected<const ApiResource*> RestMapper::find(const Wanted& wanted) const {
  using GroupRule = bool (*)(const std::string& group, const std::string& wanted);
  const GroupRule equal = [](const std::string& group, const std::string& name) { return group == name; };
  const GroupRule begins = [](const std::string& group, const std::string& name) { return group.rfind(name, 0) == 0; };
  for (const GroupRule fits_group : {equal, begins}) {
    const auto fits = [&](const ApiResource& resource) {
      return (wanted.any_group || fits_group(resource.group, wanted.group)) &&
             (wanted.version.empty() || resource.version == wanted.version);
    };
    const auto may_have_it = [&](const UnreadDocument& document) {
      const bool group = document.group ? fits_group(*document.group, wanted.group) : !wanted.group.empty();
      // Of a name such as deployments.apps the group is looked for as a version first.
      const bool version =
          document.version.empty() ? is_core_version(wanted.version) : document.version == wanted.version;
      return (wanted.any_group || group) && (wanted.version.empty() || version);
    };
    auto found = resources_.end();
    for (const NameRule fits_name : {NameRule(is_plural), NameRule(has_short_name), NameRule(is_singular_or_kind)}) {
      found = std::find_if(resources_.begin(), resources_.end(), [&](const ApiResource& resource) {
        return fits_name(resource, wanted.name) && fits(resource);
      });
      if (found != resources_.end()) break;
    }
    const auto preferred = static_cast<std::size_t>(found - resources_.begin());
    for (const Unread& unread : unread_) {
      if (unread.place <= preferred && may_have_it(unread.document)) return unread.document.error;
    }
    if (found != resources_.end()) return &*found;
    if (wanted.any_group || wanted.group.empty()) break;
  }
  return nullptr;
}

Expected<Resource> RestMapper::find(std::string_view text, bool listable_only) const {
  const std::string name = lower_case(text);
  const std::size_t first = name.find('.');
  const std::string plain = name.substr(0, first);
  Expected<const ApiResource*> searched = nullptr;
  if (first == std::string::npos) {
    searched = find(Wanted{plain, "", "", true});
  } else {
    const std::string rest = name.substr(first + 1);
    const std::size_t second = rest.find('.');
    // deployments.v1.apps, then pods.v1 of the core group, then ingresses.networking.k8s.io.
    const std::string group = second == std::string::npos ? "" : rest.substr(second + 1);
    searched = find(Wanted{plain, rest.substr(0, second), group, false});
    if (searched && *searched == nullptr) {
      searched = find(Wanted{plain, "", rest, false});
      // pods.v1 does not depend on other groups.
      if (!searched && second == std::string::npos && is_core_version(rest)) searched = nullptr;
    }
  }
  if (!searched) return std::move(searched).error();
  const ApiResource* const found = *searched;
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

std::vector<Error> RestMapper::unread() const {
  std::vector<Error> errors;
  for (const Unread& unread : unread_) errors.push_back(unread.document.error);
  return errors;
}

const ApiResource* RestMapper::find_exact(const Resource& wanted) const {
  const auto same = [&](const ApiResource& resource) {
    return resource.plural == wanted.plural && resource.as_resource().root == wanted.root;
  };
  const auto found = std::find_if(resources_.begin(), resources_.end(), same);
  return found == resources_.end() ? nullptr : &*found;
}

}  // namespace ksr::cluster

#include "server/resource_type.hpp"

#include <algorithm>

namespace ksr::testserver {
namespace {

const char* const kWorkloadZero =
    R"(,"spec":{"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}},"status":{})";

template <typename T>
void push_unique(std::vector<T>& list, const T& value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

}  // namespace

ResourceTypes::ResourceTypes() {
  add({"", "v1", "pods", "pod", "Pod", {"po"}, true, false, false, R"(,"spec":{"containers":null},"status":{})"});
  add({"", "v1", "configmaps", "configmap", "ConfigMap", {"cm"}, true, false, false, ""});
  add({"", "v1", "events", "event", "Event", {"ev"}, true, false, true, R"(,"involvedObject":{},"source":{})"});
  add({"", "v1", "namespaces", "namespace", "Namespace", {"ns"}, false, false, false, R"(,"spec":{},"status":{})"});
  add({"",
       "v1",
       "services",
       "service",
       "Service",
       {"svc"},
       true,
       false,
       false,
       R"(,"spec":{},"status":{"loadBalancer":{}})"});
  add({"", "v1", "secrets", "secret", "Secret", {}, true, false, false, ""});
  add({"", "v1", "nodes", "node", "Node", {"no"}, false, false, false, R"(,"spec":{},"status":{})"});
  add({"apps", "v1", "deployments", "deployment", "Deployment", {"deploy"}, true, false, false, kWorkloadZero});
  add({"example.ksr.dev", "v1", "widgets", "widget", "Widget", {"wd"}, true, true, false, ""});
}

void ResourceTypes::add(ResourceType type) {
  types_.push_back(std::make_unique<const ResourceType>(std::move(type)));
}

const ResourceType* ResourceTypes::find(std::string_view group, std::string_view version,
                                        std::string_view plural) const {
  for (const auto& type : types_) {
    if (type->group == group && type->version == version && type->plural == plural) return type.get();
  }
  return nullptr;
}

const ResourceType* ResourceTypes::find_by_word(std::string_view word) const {
  for (const auto& type : types_) {
    const auto& shorts = type->short_names;
    if (type->plural == word || type->singular == word || type->qualified_plural() == word ||
        std::find(shorts.begin(), shorts.end(), word) != shorts.end()) {
      return type.get();
    }
  }
  return nullptr;
}

std::vector<const ResourceType*> ResourceTypes::all() const {
  std::vector<const ResourceType*> result;
  for (const auto& type : types_) result.push_back(type.get());
  return result;
}

std::vector<const ResourceType*> ResourceTypes::of_version(std::string_view group, std::string_view version) const {
  std::vector<const ResourceType*> result;
  for (const auto& type : types_) {
    if (type->group == group && type->version == version) result.push_back(type.get());
  }
  return result;
}

std::vector<std::string> ResourceTypes::groups() const {
  std::vector<std::string> result;
  for (const auto& type : types_) {
    if (!type->group.empty()) push_unique(result, type->group);
  }
  return result;
}

std::vector<std::string> ResourceTypes::versions(std::string_view group) const {
  std::vector<std::string> result;
  for (const auto& type : types_) {
    if (type->group == group) push_unique(result, type->version);
  }
  return result;
}

}  // namespace ksr::testserver

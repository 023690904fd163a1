#include "cluster/resolution.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

Error no_namespaces(const Resource& resource) {
  return {Status::invalid, "namespace: is set, but " + resource.display + " is not namespaced; expected no namespace"};
}

bool is_cluster_scoped(const Resource& resource) {
  return resource.namespaced == false;
}

}  // namespace

Resolution::Resolution(const DiscoveryCache& known, const QueryOptions& query, Instant asked_at)
    : known_(known), query_(query), asked_at_(asked_at) {}

std::optional<Expected<std::vector<Resource>>> Resolution::answer() {
  for (const std::string& name : query_.resources) {
    auto parsed = parse_resource(name);
    if (!parsed) return Expected<std::vector<Resource>>(parsed.error());
    if (std::optional<Resource> resource = *std::move(parsed)) {
      take_full(*std::move(resource));
    } else {
      take_name(name);
    }
  }
  const bool may_exist_by_now = (resources_.empty() || may_be_served_) && missing_is_old_;
  if ((mapper_lacks_ && known_.mapper == nullptr) || !roots_lacking_.empty() || may_exist_by_now) {
    return std::nullopt;
  }
  return chosen();
}

void Resolution::take_name(const std::string& name) {
  if (known_.mapper == nullptr) {
    mapper_lacks_ = true;
    return;
  }
  auto found = known_.mapper->find(name, query_.listable_only);
  if (found) {
    resources_.push_back(*std::move(found));
    return;
  }
  const Status status = found.error().status;
  const bool old = status != Status::invalid && known_.mapper_learned_at < asked_at_;
  mapper_lacks_ = mapper_lacks_ || old;
  missing_is_old_ = missing_is_old_ || old;
  // It may be served: no candidate after it is taken in its place.
  const bool unread = status != Status::invalid && status != Status::not_found && resources_.empty();
  if (!missing_ || (unread && !may_be_served_)) missing_ = std::move(found).error();
  may_be_served_ = may_be_served_ || unread;
}

// Whether it is namespaced matters only with a namespace.
void Resolution::take_full(Resource resource) {
  const ApiResource* known = known_.mapper == nullptr ? nullptr : known_.mapper->find_exact(resource);
  const bool scope_matters = !query_.namespaces.empty();
  if (known == nullptr && scope_matters) {
    const ScopeCache::Entry* entry = known_.scopes.entry(resource.root);
    known = entry == nullptr ? nullptr : entry->find(resource.plural);
    const bool unanswered = entry == nullptr || (known == nullptr && entry->learned_at < asked_at_);
    if (unanswered) {
      roots_lacking_.push_back(resource.root);
      return;
    }
    // Its path depends on its scope, which is unknown.
    if (known == nullptr && entry->readable && query_.namespaces_of_context) return miss(resource.display);
  }
  if (known != nullptr) {
    resource.namespaced = known->namespaced;
    resource.kind = known->kind;
  }
  resources_.push_back(std::move(resource));
}

void Resolution::miss(const std::string& name) {
  if (!missing_) missing_ = Error{Status::not_found, "the server has no resource " + in_quotes(name), "NotFound", 404};
}

// One candidate that exists is enough; the others may exist on other versions of the server.
Expected<std::vector<Resource>> Resolution::chosen() const {
  if (resources_.empty() || may_be_served_) return *missing_;
  if (query_.namespaces.empty()) return resources_;
  const auto cluster_scoped = std::find_if(resources_.begin(), resources_.end(), is_cluster_scoped);
  if (!query_.namespaces_of_context) {
    if (cluster_scoped != resources_.end()) return no_namespaces(*cluster_scoped);
    return resources_;
  }
  // One view has one scope: the first candidate's.
  std::vector<Resource> same_scope;
  for (const Resource& resource : resources_) {
    if (is_cluster_scoped(resource) == is_cluster_scoped(resources_.front())) same_scope.push_back(resource);
  }
  return same_scope;
}

}  // namespace ksr::cluster

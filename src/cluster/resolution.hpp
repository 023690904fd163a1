// `Resolution` turns the names of a query into resources by what is known of the cluster, or says what has to be
// fetched first; used by Discovery. Pure; lives on the network thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/instant.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/rest_mapper.hpp"
#include "cluster/scope_cache.hpp"

namespace ksr::cluster {

// A name that is missing in what was fetched before the lookup began may exist by now: a CRD was installed.
struct DiscoveryCache {
  const RestMapper* mapper;  // NULL: not fetched yet
  Instant mapper_learned_at;
  const ScopeCache& scopes;
};

class Resolution {
 public:
  Resolution(const DiscoveryCache& known, const QueryOptions& query, Instant asked_at);

  // Empty: mapper_lacks() or roots_lacking() say what to fetch.
  std::optional<Expected<std::vector<Resource>>> answer();
  bool mapper_lacks() const noexcept { return mapper_lacks_; }
  const std::vector<std::string>& roots_lacking() const noexcept { return roots_lacking_; }

 private:
  void take_name(const std::string& name);
  void take_full(Resource resource);
  void miss(const std::string& name);
  Expected<std::vector<Resource>> chosen() const;

  const DiscoveryCache& known_;
  const QueryOptions& query_;
  Instant asked_at_;
  std::vector<Resource> resources_;
  std::optional<Error> missing_;
  bool missing_is_old_ = false;
  // missing_ is the failure of a document that may have one of the names, before any that was found.
  bool may_be_served_ = false;
  bool mapper_lacks_ = false;
  std::vector<std::string> roots_lacking_;
};

}  // namespace ksr::cluster

// `RestMapper` finds resources by name among those that a cluster serves; made by DiscoveryRun, used by Resolution.
// Pure; lives on the network thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/expected.hpp"
#include "cluster/resource.hpp"

namespace ksr::cluster {

struct ApiResource {
  std::string group;  // "" for the core group
  std::string version;
  std::string plural;
  std::string singular;
  std::string kind;
  std::vector<std::string> short_names;
  std::vector<std::string> categories;  // "all"
  bool namespaced = false;
  bool listable = false;  // its verbs include list

  Resource as_resource() const;
};

// A document that could not be read: what resources it has is not known.
struct UnreadDocument {
  // Empty: of all groups but the core group.
  std::optional<std::string> group;
  // Empty: of all versions.
  std::string version;
  Error error;
};

class RestMapper {
 public:
  // In the order of the server's preference: groups as they come, within a group the preferred version first.
  void add(ApiResource resource) { resources_.push_back(std::move(resource)); }
  // In the same order: after the resources that are preferred to those that it may have.
  void add_unread(UnreadDocument document) { unread_.push_back({std::move(document), resources_.size()}); }

  // By the rules of kubectl (k8s.io/client-go/restmapper): plural before short name before singular and kind; a group
  // may be cut short ("ingresses.networking") and a version put in between ("deployments.v1.apps"). not_found without
  // one, invalid with `listable_only` where it cannot be listed. A document that could not be read and may have the
  // name, with more preference than the resource that was found, is the error, of a status that is neither: another
  // resource must not be taken for it, nor may it be called missing. Any other does not matter, as for client-go.
  Expected<Resource> find(std::string_view name, bool listable_only = true) const;
  // What else has this short name, such as "events.events.k8s.io", which find() does not give. None where it is the
  // name of a resource.
  std::vector<std::string> others_of_short_name(std::string_view name) const;
  // Those that have the category, each in the version that the server prefers. Empty: there is no such category.
  std::vector<Resource> in_category(std::string_view name) const;
  // Why documents could not be read. A category may have more resources then.
  std::vector<Error> unread() const;
  // NULL: it is not served.
  const ApiResource* find_exact(const Resource& resource) const;

 private:
  struct Wanted {
    std::string name, version, group;
    bool any_group = false;
  };
  struct Unread {
    UnreadDocument document;
    // How many resources are preferred to its own.
    std::size_t place;
  };
  // NULL: there is none.
  Expected<const ApiResource*> find(const Wanted& wanted) const;

  std::vector<ApiResource> resources_;
  std::vector<Unread> unread_;
};

}  // namespace ksr::cluster

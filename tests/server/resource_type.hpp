// `ResourceTypes` is the registry of the resources that the server serves; used by World.
// Lives on the server's thread.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::testserver {

// One kind of object that the server serves. Immutable once registered.
struct ResourceType {
  std::string group;
  std::string version;
  std::string plural;
  std::string singular;
  std::string kind;
  std::vector<std::string> short_names;
  bool namespaced = true;
  // Served through a CRD: keys are in alphabetical order, and items of a list carry kind and apiVersion.
  bool custom = false;
  // Without a watch cache: a watch from a compacted resourceVersion ends cleanly without an event (core/v1 events).
  bool silently_stale = false;
  // The required zero values that a typed object, such as a bookmark's, always carries after its metadata.
  std::string zero_body;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  std::string root() const { return group.empty() ? "/api/" + version : "/apis/" + api_version(); }
  std::string qualified_plural() const { return group.empty() ? plural : plural + "." + group; }
};

// The resources served, in the order of registration.
class ResourceTypes {
 public:
  ResourceTypes();

  void add(ResourceType type);
  const ResourceType* find(std::string_view group, std::string_view version, std::string_view plural) const;
  // By plural, plural.group, singular or short name.
  const ResourceType* find_by_word(std::string_view word) const;
  std::vector<const ResourceType*> all() const;
  std::vector<const ResourceType*> of_version(std::string_view group, std::string_view version) const;
  // Group names other than the core group, in order.
  std::vector<std::string> groups() const;
  std::vector<std::string> versions(std::string_view group) const;

 private:
  // Callers hold pointers to entries, so entries never move.
  std::vector<std::unique_ptr<const ResourceType>> types_;
};

}  // namespace ksr::testserver

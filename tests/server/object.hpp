// `StoredObject` is one version of one object, as the server keeps and sends it; used by RevisionLog and the handlers.
// Immutable: on any thread.
#pragma once
#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "server/resource_type.hpp"

namespace ksr::testserver {

struct StoredObject {
  std::string ns;
  std::string name;
  std::string uid;
  std::uint64_t revision = 0;
  std::string text;  // compact JSON, kind and apiVersion included
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> fields;  // the fields of field selectors

  // The order of etcd's keys, which is the order of lists: bytewise by "namespace/name".
  std::string key() const { return ns.empty() ? name : ns + "/" + name; }
};
using ObjectPtr = std::shared_ptr<const StoredObject>;

struct ObjectIdentity {
  std::string ns;
  std::string name;
  std::string uid;
  std::string created;
};

std::string object_key(std::string_view ns, std::string_view name);

// The object as the apiserver would store it: identity and metadata completed, keys in the order of its kind.
ObjectPtr make_object(const ResourceType& type, const ObjectIdentity& identity, std::uint64_t revision,
                      const boost::json::object& body);
// The same state under another resourceVersion, as in DELETED events.
ObjectPtr at_revision(const ResourceType& type, const StoredObject& object, std::uint64_t revision);

// The JSON of an item of a list: typed lists omit kind and apiVersion.
std::string list_item_text(const ResourceType& type, const StoredObject& object);
// kind PartialObjectMetadata: only the metadata.
std::string metadata_only_text(const StoredObject& object);

// RFC 7386.
void merge_patch(boost::json::value& target, const boost::json::value& patch);
std::string timestamp_now();

}  // namespace ksr::testserver

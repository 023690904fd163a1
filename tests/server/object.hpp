#pragma once
#include <boost/json.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "server/resource_type.hpp"

namespace ksr::testserver {

// One version of one object, as the server keeps and sends it. Immutable.
struct StoredObject {
  std::string ns;
  std::string name;
  std::string uid;
  std::uint64_t revision = 0;
  std::string text;  // compact JSON, kind and apiVersion included
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> fields;  // what field selectors may ask for

  // The order of etcd's keys, which is the order of lists: by bytes of "namespace/name".
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

// The object as the apiserver would store it: identity and envelope filled in, keys in the order of its kind.
ObjectPtr make_object(const ResourceType& type, const ObjectIdentity& identity, std::uint64_t revision,
                      const boost::json::object& body);
// The same state under another resourceVersion: how DELETED events show an object.
ObjectPtr at_revision(const ResourceType& type, const StoredObject& object, std::uint64_t revision);

// How an item of a list is written: typed lists leave kind and apiVersion out.
std::string list_item_text(const ResourceType& type, const StoredObject& object);
// kind PartialObjectMetadata: the metadata and nothing else.
std::string metadata_only_text(const StoredObject& object);

// RFC 7386.
void merge_patch(boost::json::value& target, const boost::json::value& patch);
std::string timestamp_now();

}  // namespace ksr::testserver

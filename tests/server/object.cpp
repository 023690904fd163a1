#include "server/object.hpp"

#include <algorithm>
#include <ctime>
#include <vector>

namespace ksr::testserver {
namespace {

namespace json = boost::json;

json::object without(const json::object& from, std::initializer_list<std::string_view> keys) {
  json::object rest;
  for (const auto& [key, value] : from) {
    if (std::find(keys.begin(), keys.end(), std::string_view(key.data(), key.size())) == keys.end()) rest[key] = value;
  }
  return rest;
}

json::object subobject(const json::object& from, std::string_view key) {
  const auto* found = from.if_contains(key);
  return found && found->is_object() ? found->get_object() : json::object();
}

std::string text_at(const json::object& from, std::string_view outer, std::string_view key) {
  const auto inner = subobject(from, outer);
  const auto* found = inner.if_contains(key);
  return found && found->is_string() ? std::string(found->get_string().c_str()) : std::string();
}

void append(json::object& to, const json::object& from) {
  for (const auto& [key, value] : from) to[key] = value;
}

json::value sorted(const json::value& value) {
  if (value.is_array()) {
    json::array result;
    for (const auto& element : value.get_array()) result.push_back(sorted(element));
    return result;
  }
  if (!value.is_object()) return value;
  std::vector<std::string> keys;
  for (const auto& entry : value.get_object()) keys.emplace_back(entry.key());
  std::sort(keys.begin(), keys.end());
  json::object result;
  for (const auto& key : keys) result[key] = sorted(value.get_object().at(key));
  return result;
}

json::object envelope(const ResourceType& type, const ObjectIdentity& id, std::uint64_t revision,
                      const json::object& body) {
  json::object metadata;
  metadata["name"] = id.name;
  if (!id.ns.empty()) metadata["namespace"] = id.ns;
  metadata["uid"] = id.uid;
  metadata["resourceVersion"] = std::to_string(revision);
  metadata["creationTimestamp"] = id.created;
  append(metadata,
         without(subobject(body, "metadata"), {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}));
  json::object result;
  result["kind"] = type.kind;
  result["apiVersion"] = type.api_version();
  result["metadata"] = std::move(metadata);
  append(result, without(body, {"kind", "apiVersion", "metadata"}));
  return result;
}

}  // namespace

std::string object_key(std::string_view ns, std::string_view name) {
  return ns.empty() ? std::string(name) : std::string(ns) + "/" + std::string(name);
}

ObjectPtr make_object(const ResourceType& type, const ObjectIdentity& id, std::uint64_t revision,
                      const json::object& body) {
  const json::object whole = envelope(type, id, revision, body);
  auto object = std::make_shared<StoredObject>();
  object->ns = id.ns;
  object->name = id.name;
  object->uid = id.uid;
  object->revision = revision;
  object->text = type.custom ? json::serialize(sorted(whole)) : json::serialize(whole);
  for (const auto& [key, value] : subobject(subobject(body, "metadata"), "labels")) {
    if (value.is_string()) object->labels[std::string(key)] = value.get_string().c_str();
  }
  object->fields["metadata.name"] = id.name;
  object->fields["metadata.namespace"] = id.ns;
  object->fields["spec.nodeName"] = text_at(body, "spec", "nodeName");
  object->fields["status.phase"] = text_at(body, "status", "phase");
  object->fields["involvedObject.name"] = text_at(body, "involvedObject", "name");
  return object;
}

ObjectPtr at_revision(const ResourceType& type, const StoredObject& object, std::uint64_t revision) {
  const auto parsed = json::parse(object.text).get_object();
  const std::string created = text_at(parsed, "metadata", "creationTimestamp");
  return make_object(type, {object.ns, object.name, object.uid, created}, revision, parsed);
}

std::string list_item_text(const ResourceType& type, const StoredObject& object) {
  if (type.custom) return object.text;
  const std::string envelope_start = R"({"kind":")" + type.kind + R"(","apiVersion":")" + type.api_version() + "\",";
  return "{" + object.text.substr(envelope_start.size());
}

std::string metadata_only_text(const StoredObject& object) {
  const auto parsed = json::parse(object.text).get_object();
  json::object partial;
  partial["kind"] = "PartialObjectMetadata";
  partial["apiVersion"] = "meta.k8s.io/v1";
  partial["metadata"] = parsed.at("metadata");
  return json::serialize(partial);
}

void merge_patch(json::value& target, const json::value& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  for (const auto& [key, value] : patch.get_object()) {
    if (value.is_null()) {
      target.get_object().erase(key);
    } else {
      merge_patch(target.get_object()[key], value);
    }
  }
}

std::string timestamp_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char buffer[32];
  return std::string(buffer, std::strftime(buffer, sizeof buffer, "%Y-%m-%dT%H:%M:%SZ", &utc));
}

}  // namespace ksr::testserver

// What the readers of src/json have to make of an object, worked out on its tree. One thread.
#pragma once

#include <string>

#include "fuzz/json/dom.hpp"

namespace json_fuzz {

struct ExpectedItem {
  // The object cannot be an item.
  bool bad = false;
  // As unit/json/recorder.hpp writes the key fields.
  std::string fields;
  Node object;
};

inline std::string string_or_empty(const Node* node) {
  return node != nullptr && node->is_string() ? node->text : "";
}

// A string without NUL; null where `nullable`; absent unless `required`, and then not empty either.
inline bool is_good_field(const Node* node, bool required, bool nullable) {
  if (node == nullptr) return !required;
  if (node->kind == Node::Kind::null) return nullable;
  if (!node->is_string() || (required && node->text.empty())) return false;
  return node->text.find('\0') == std::string::npos;
}

// An item of a list may have neither uid nor resourceVersion.
inline bool is_good_item(const Node& object, bool of_a_list) {
  const Node* const metadata = object.find("metadata");
  if (metadata == nullptr || !metadata->is_object()) return false;
  const bool computed = metadata->find("uid") == nullptr && metadata->find("resourceVersion") == nullptr;
  return is_good_field(metadata->find("uid"), !(of_a_list && computed), false) &&
         is_good_field(metadata->find("name"), true, false) &&
         is_good_field(metadata->find("resourceVersion"), false, true) &&
         is_good_field(metadata->find("namespace"), false, true) &&
         is_good_field(metadata->find("creationTimestamp"), false, true) &&
         is_good_field(object.find("kind"), false, false) && is_good_field(object.find("apiVersion"), false, false);
}

inline std::string recency_of(const Node& object, const std::string& created) {
  std::string text = string_or_empty(object.find("lastTimestamp"));
  const Node* const series = object.find("series");
  if (text.empty() && series != nullptr && series->is_object())
    text = string_or_empty(series->find("lastObservedTime"));
  if (text.empty()) text = string_or_empty(object.find("eventTime"));
  return text.empty() ? created : text;
}

inline void drop_managed_fields(Node& object) {
  for (auto& [name, value] : object.members) {
    if (name != "metadata" || !value.is_object()) continue;
    auto& members = value.members;
    for (auto member = members.begin(); member != members.end();) {
      member = member->first == "managedFields" ? members.erase(member) : member + 1;
    }
  }
}

// `kind` and `api_version`: of the list, for an object that has none.
inline ExpectedItem expected_item(const Node& object, const std::string& kind, const std::string& api_version,
                                  bool keep_managed_fields, bool of_a_list) {
  ExpectedItem item;
  item.bad = !object.is_object() || !is_good_item(object, of_a_list);
  if (item.bad) return item;
  item.object = object;
  if (!keep_managed_fields) drop_managed_fields(item.object);
  auto& members = item.object.members;
  const auto add = [&](const char* name, const std::string& text) {
    members.insert(members.begin(), {name, Node{Node::Kind::string, text, {}}});
  };
  if (object.find("apiVersion") == nullptr) add("apiVersion", api_version);
  if (object.find("kind") == nullptr) add("kind", kind);
  const Node& metadata = *object.find("metadata");
  const std::string created = string_or_empty(metadata.find("creationTimestamp"));
  const std::string name = string_or_empty(metadata.find("namespace")) + "/" + string_or_empty(metadata.find("name"));
  for (const std::string& field :
       {metadata.find("uid") == nullptr ? name : string_or_empty(metadata.find("uid")),
        string_or_empty(metadata.find("namespace")), string_or_empty(metadata.find("name")),
        string_or_empty(metadata.find("resourceVersion")), string_or_empty(item.object.find("kind")),
        string_or_empty(item.object.find("apiVersion")), created, recency_of(object, created)}) {
    item.fields += field + "|";
  }
  return item;
}

// Whether a reader reported that item: `line` after its event type, `text` as JSON.
inline bool is_reported(const ExpectedItem& item, const std::string& line, const std::string& text) {
  std::string_view rest = text;
  Node object;
  return line == item.fields + " " + text && take_document(rest, object) == Parsed::whole && rest.empty() &&
         object == item.object;
}

}  // namespace json_fuzz

#include "cluster/yaml_reader.hpp"

#include <utility>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

using Kind = YamlNode::Kind;

bool is_absent(const YamlNode* node) {
  return node == nullptr || node->kind == Kind::null;
}

std::string scalar(const YamlNode* node, const std::string& place) {
  if (is_absent(node)) return "";
  if (node->kind == Kind::number || node->kind == Kind::boolean) {
    throw YamlMismatch(place + ": expected a string; quotes make a number or a boolean one");
  }
  if (node->kind != Kind::text) throw YamlMismatch(place + ": expected a string");
  return node->text;
}

}  // namespace

YamlMap::YamlMap(const YamlNode* node, std::string place) : node_(node), place_(std::move(place)) {
  if (!is_absent(node_) && node_->kind != Kind::mapping) {
    throw YamlMismatch(place_.empty() ? "is not a kubeconfig; expected a YAML mapping"
                                      : place_ + ": expected a mapping");
  }
}

std::string YamlMap::inside(const char* key) const {
  return place_.empty() ? key : place_ + ": " + key;
}

const YamlNode* YamlMap::node(const char* key) const {
  if (is_absent(node_)) return nullptr;
  const auto found = node_->members.find(key);
  return found == node_->members.end() ? nullptr : found->second;
}

bool YamlMap::has(const char* key) const {
  return !is_absent(node(key));
}

std::string YamlMap::text(const char* key) const {
  return scalar(node(key), inside(key));
}

bool YamlMap::flag(const char* key) const {
  const YamlNode* const value = node(key);
  if (is_absent(value)) return false;
  if (value->kind != Kind::boolean) throw YamlMismatch(inside(key) + ": expected true or false");
  return yaml_boolean(value->text);
}

std::vector<std::string> YamlMap::texts_in(const YamlNode* list, const std::string& place) {
  if (is_absent(list)) return {};
  if (list->kind != Kind::sequence) throw YamlMismatch(place + ": expected a list of strings");
  std::vector<std::string> all;
  for (const YamlNode* item : list->items) all.push_back(scalar(item, place));
  return all;
}

std::vector<std::string> YamlMap::texts(const char* key) const {
  return texts_in(node(key), inside(key));
}

std::vector<std::string> YamlMap::texts_of(const std::string& key) const {
  return texts_in(node(key.c_str()), place_);
}

YamlMap YamlMap::map(const char* key) const {
  return YamlMap(node(key), inside(key));
}

std::vector<YamlMap> YamlMap::maps(const char* key) const {
  const YamlNode* const value = node(key);
  if (is_absent(value)) return {};
  if (value->kind != Kind::sequence) throw YamlMismatch(inside(key) + ": expected a list");
  std::vector<YamlMap> all;
  for (const YamlNode* item : value->items) {
    all.emplace_back(item, inside(key) + "[" + std::to_string(all.size()) + "]");
  }
  return all;
}

std::vector<std::string> YamlMap::keys() const {
  std::vector<std::string> all;
  if (is_absent(node_)) return all;
  for (const auto& member : node_->members) all.push_back(member.first);
  return all;
}

}  // namespace ksr::cluster

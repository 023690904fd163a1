#include "cluster/yaml_reader.hpp"

#include <boost/json.hpp>

#include <utility>

namespace ksr::cluster {
namespace {

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxValues = 10'000;

bool is_absent(const YAML::Node& node) {
  return !node.IsDefined() || node.IsNull();
}

// yaml-cpp tags quoted scalars "!".
bool is_quoted(const YAML::Node& node) {
  return node.Tag() == "!";
}

std::string scalar(const YAML::Node& node, const std::string& place) {
  if (is_absent(node)) return "";
  if (!node.IsScalar()) throw YamlMismatch(place + ": expected a string");
  return node.Scalar();
}

boost::json::value plain_scalar(const YAML::Node& node) {
  if (is_quoted(node)) return boost::json::string(node.Scalar());
  if (bool flag = false; YAML::convert<bool>::decode(node, flag)) return flag;
  if (std::int64_t number = 0; YAML::convert<std::int64_t>::decode(node, number)) return number;
  if (double number = 0; YAML::convert<double>::decode(node, number) && number - number == 0) return number;
  return boost::json::string(node.Scalar());
}

class JsonMaker {
 public:
  explicit JsonMaker(const std::string& place) : place_(place) {}

  boost::json::value make(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth || ++values_ > kMaxValues) throw YamlMismatch(place_ + ": is nested too deep or too large");
    if (is_absent(node)) return nullptr;
    if (node.IsScalar()) return plain_scalar(node);
    if (node.IsSequence()) {
      boost::json::array array;
      for (const auto& item : node) array.push_back(make(item, depth + 1));
      return array;
    }
    boost::json::object object;
    for (const auto& item : node) object[scalar(item.first, place_)] = make(item.second, depth + 1);
    return object;
  }

 private:
  const std::string& place_;
  std::size_t values_ = 0;
};

}  // namespace

YamlMap::YamlMap(YAML::Node node, std::string place) : node_(std::move(node)), place_(std::move(place)) {
  if (!is_absent(node_) && !node_.IsMap()) throw YamlMismatch(place_ + ": expected a mapping");
}

std::string YamlMap::inside(const char* key) const {
  return place_.empty() ? key : place_ + ": " + key;
}

YAML::Node YamlMap::node(const char* key) const {
  YAML::Node found(YAML::NodeType::Undefined);
  if (is_absent(node_)) return found;
  for (const auto& item : node_) {
    if (item.first.IsScalar() && item.first.Scalar() == key) found.reset(item.second);
  }
  return found;
}

bool YamlMap::has(const char* key) const {
  return !is_absent(node(key));
}

std::string YamlMap::text(const char* key) const {
  return scalar(node(key), inside(key));
}

bool YamlMap::flag(const char* key) const {
  const YAML::Node value = node(key);
  if (is_absent(value)) return false;
  bool flag = false;
  if (!value.IsScalar() || is_quoted(value) || !YAML::convert<bool>::decode(value, flag)) {
    throw YamlMismatch(inside(key) + ": expected true or false");
  }
  return flag;
}

std::vector<std::string> YamlMap::texts(const char* key) const {
  const YAML::Node value = node(key);
  if (is_absent(value)) return {};
  if (!value.IsSequence()) throw YamlMismatch(inside(key) + ": expected a list of strings");
  std::vector<std::string> all;
  for (const auto& item : value) all.push_back(scalar(item, inside(key)));
  return all;
}

YamlMap YamlMap::map(const char* key) const {
  return YamlMap(node(key), inside(key));
}

std::vector<YamlMap> YamlMap::maps(const char* key) const {
  const YAML::Node value = node(key);
  if (is_absent(value)) return {};
  if (!value.IsSequence()) throw YamlMismatch(inside(key) + ": expected a list");
  std::vector<YamlMap> all;
  for (const auto& item : value) all.emplace_back(item, inside(key) + "[" + std::to_string(all.size()) + "]");
  return all;
}

std::string yaml_as_json(const YAML::Node& node, const std::string& place) {
  return boost::json::serialize(JsonMaker(place).make(node, 0));
}

}  // namespace ksr::cluster

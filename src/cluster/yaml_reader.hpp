// The few ways in which kubeconfigs are read out of YAML: lenient to unknown keys, strict about kinds of values.
#pragma once

#include <yaml-cpp/yaml.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace ksr::cluster {

// Thrown within one file's parse and caught at its edge; the text names the place, never a value.
struct YamlMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One mapping, and where it stands: "users[2] \"jane\"". Lives no longer than its parse.
class YamlMap {
 public:
  // Null and absent are an empty mapping; anything else that is none is a mismatch.
  YamlMap(YAML::Node node, std::string place);

  // The last one of equal keys counts, as for Go's decoder; an undefined node where there is none.
  YAML::Node node(const char* key) const;
  std::string text(const char* key) const;
  bool flag(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  YamlMap map(const char* key) const;
  std::vector<YamlMap> maps(const char* key) const;
  bool has(const char* key) const;
  const YAML::Node& whole() const noexcept { return node_; }
  const std::string& place() const noexcept { return place_; }

 private:
  std::string inside(const char* key) const;

  YAML::Node node_;
  std::string place_;
};

// JSON text of any value. Refuses what is nested too deep (an alias can make a node contain itself).
std::string yaml_as_json(const YAML::Node& node, const std::string& place);

}  // namespace ksr::cluster

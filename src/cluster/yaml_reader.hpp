// `YamlMap` reads values from a YAML mapping: unknown keys are ignored, values of the wrong type are errors; used for
// kubeconfigs. Any thread.
#pragma once

#include <yaml-cpp/yaml.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace ksr::cluster {

// Thrown and caught within parse_kubeconfig; the message has the place, never a value.
struct YamlMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One mapping, and its place for messages: "users[2] \"jane\"".
class YamlMap {
 public:
  // Null and absent are an empty mapping; any other value that is not a mapping is a mismatch.
  YamlMap(YAML::Node node, std::string place);

  // Of equal keys the last one is used, as by Go's decoder; an undefined node without one.
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

// Any value as JSON. Refuses what is nested too deep (an alias can make a node contain itself).
std::string yaml_as_json(const YAML::Node& node, const std::string& place);

}  // namespace ksr::cluster

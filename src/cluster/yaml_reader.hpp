// `YamlMap` reads values from a YAML mapping: unknown keys are ignored, values of the wrong type are errors; used for
// kubeconfigs. Any thread.
#pragma once

#include <string>
#include <vector>

#include "cluster/yaml_document.hpp"

namespace ksr::cluster {

// One mapping, and its place for messages: "users[2] \"jane\"". The document outlives it.
class YamlMap {
 public:
  // Null and NULL are an empty mapping; any other value that is not a mapping is a mismatch.
  YamlMap(const YamlNode* node, std::string place);

  // NULL without one.
  const YamlNode* node(const char* key) const;
  // A number or a boolean is not a string, as for kubectl: quotes make it one.
  std::string text(const char* key) const;
  bool flag(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  // The same for any key; an error does not repeat the key.
  std::vector<std::string> texts_of(const std::string& key) const;
  YamlMap map(const char* key) const;
  std::vector<YamlMap> maps(const char* key) const;
  // Sorted.
  std::vector<std::string> keys() const;
  bool has(const char* key) const;
  const std::string& place() const noexcept { return place_; }

 private:
  std::string inside(const char* key) const;
  static std::vector<std::string> texts_in(const YamlNode* list, const std::string& place);

  const YamlNode* node_;
  std::string place_;
};

}  // namespace ksr::cluster

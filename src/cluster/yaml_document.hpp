// `YamlDocument` is a YAML document as kubectl's decoder understands it (go-yaml v2): aliases and merge keys are
// resolved, scalars have their types, and size, depth and time are bounded; used for kubeconfigs, exec plugins and the
// files of the program ksr. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace ksr::cluster {

// Thrown and caught within the readers of YAML; the message has the place, never a value.
struct YamlMismatch : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct YamlNode {
  enum class Kind { null, boolean, number, text, sequence, mapping };
  Kind kind = Kind::null;
  // Of a scalar: as it is written, without quotes and escapes.
  std::string text;
  std::vector<const YamlNode*> items;
  std::map<std::string, const YamlNode*> members;
};

struct YamlLimits {
  // yaml-cpp recurses for each level; the stack may be a small one of the host.
  std::size_t max_depth = 64;
  std::size_t max_nodes = 200'000;
  std::size_t max_json_values = 10'000;
  std::chrono::seconds max_time{5};
};

class YamlDocument {
 public:
  // The first document of the text. Throws YamlMismatch.
  explicit YamlDocument(const std::string& given, const YamlLimits& limits = {});
  YamlDocument(const YamlDocument&) = delete;
  YamlDocument& operator=(const YamlDocument&) = delete;

  const YamlNode& root() const noexcept { return *root_; }
  // Something follows the document: another one, or what is no YAML. It was not read.
  bool has_more() const noexcept { return has_more_; }
  // What was read otherwise than it may be meant, as kubectl reads it without a word: "line 3: a key occurs twice; the
  // last one is used".
  const std::vector<std::string>& notes() const noexcept { return notes_; }

 private:
  class Builder;

  // Stable addresses.
  std::deque<YamlNode> nodes_;
  const YamlNode* root_ = nullptr;
  std::vector<std::string> notes_;
  bool has_more_ = false;
};

// A CR without LF ends a line in YAML 1.1; yaml-cpp knows LF and CR LF alone. UTF-16 stays as it is.
std::string with_line_feeds(std::string text);

// Of a node of Kind::boolean: "yes" and "on" too.
bool yaml_boolean(const std::string& text);

// Any value as JSON. Refuses what aliases make too large.
std::string yaml_as_json(const YamlNode& node, const std::string& place,
                         std::size_t max_values = YamlLimits().max_json_values);

}  // namespace ksr::cluster

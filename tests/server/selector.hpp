// `Selector` is a label or field selector; used by lists and watches. Immutable: on any thread.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::testserver {

// A label or field selector: =, ==, !=, in, notin, exists, !exists; all requirements must hold.
class Selector {
 public:
  Selector() = default;
  // Throws std::runtime_error on a selector that the apiserver refuses.
  static Selector parse(std::string_view text);

  bool matches(const std::map<std::string, std::string>& values) const;
  bool empty() const { return requirements_.empty(); }
  // The keys of its requirements, in order.
  std::vector<std::string> keys() const;

 private:
  enum class Operator { in, not_in, exists, absent };
  struct Requirement {
    std::string key;
    Operator op;
    std::vector<std::string> values;
  };

  static Requirement parse_requirement(std::string_view text);

  std::vector<Requirement> requirements_;
};

// The parameter shardSelector, with one range of uids (KEP-5866); used by lists and watches. Immutable: on any thread.
class ShardRange {
 public:
  // Throws std::runtime_error on what the apiserver refuses.
  static ShardRange parse(std::string_view text);
  bool holds(std::string_view uid) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::uint64_t first_ = 0;
  std::uint64_t last_ = 0;
};

}  // namespace ksr::testserver

// Lists: ListReader finds the items that a tree made by Boost.JSON has, refuses what is no list, and reports the same
// for every split of the bytes and with each way of skipping.
#include <optional>

#include "fuzz/fuzz.hpp"
#include "fuzz/json/each_way.hpp"
#include "fuzz/json/expected_item.hpp"
#include "fuzz/json/kernel_readers.hpp"
#include "json/json_pointer.hpp"

namespace {

using json_fuzz::ExpectedItem;
using json_fuzz::Node;
using json_fuzz::Parsed;
using ksr::fuzz::require;

// Walks the members of a list in their order.
class ExpectedList {
 public:
  explicit ExpectedList(bool keep_managed_fields) : keep_managed_fields_(keep_managed_fields) {}

  bool read(const Node& list) {
    if (!list.is_object()) return false;
    for (const auto& [name, value] : list.members) {
      if (!read_member(name, value)) return false;
    }
    return kind_ && api_version_ && has_items_;
  }
  const std::vector<ExpectedItem>& delivered() const { return delivered_; }
  std::string end() const { return *kind_ + "|" + *api_version_ + "|" + version_ + "|" + continue_; }

 private:
  bool read_member(const std::string& name, const Node& value) {
    if (name == "kind") return read_type(value, kind_) && *kind_ != "Status" && *kind_ != "Table" && release_held();
    if (name == "apiVersion") return read_type(value, api_version_) && release_held();
    if (name == "metadata") return read_metadata(value);
    if (name == "items") return read_items(value);
    return true;
  }
  // Empty where the kind of the list does not say.
  static std::string kind_of_items(const std::string& kind) {
    const bool says = kind.size() >= 4 && kind.compare(kind.size() - 4, 4, "List") == 0;
    return says ? kind.substr(0, kind.size() - 4) : "";
  }
  bool read_type(const Node& value, std::optional<std::string>& type) {
    if (!value.is_string() || value.text.find('\0') != std::string::npos) return false;
    if (relied_on_ && *type != value.text) return false;
    type = value.text;
    return true;
  }
  bool read_metadata(const Node& metadata) {
    version_.clear();
    continue_.clear();
    if (!metadata.is_object()) return false;
    for (const auto& [name, value] : metadata.members) {
      if (name != "resourceVersion" && name != "continue") continue;
      const bool null = value.kind == Node::Kind::null;
      if (!null && (!value.is_string() || value.text.find('\0') != std::string::npos)) return false;
      (name == "continue" ? continue_ : version_) = null ? "" : value.text;
    }
    return true;
  }
  bool read_items(const Node& items) {
    if (has_items_ || (items.kind != Node::Kind::array && items.kind != Node::Kind::null)) return false;
    has_items_ = true;
    for (const auto& [no_name, item] : items.members) {
      if (!item.is_object() || !json_fuzz::is_good_item(item, true)) return false;
      const bool waits = !held_.empty() || (needs_type(item) && !(kind_ && api_version_));
      if (waits) held_.push_back(item);
      if (!waits && !deliver(item)) return false;
    }
    return true;
  }
  static bool needs_type(const Node& item) {
    return item.find("kind") == nullptr || item.find("apiVersion") == nullptr;
  }
  bool release_held() {
    if (!kind_ || !api_version_) return true;
    for (const Node& item : std::exchange(held_, {})) {
      if (!deliver(item)) return false;
    }
    return true;
  }
  bool deliver(const Node& item) {
    std::string kind, api_version;
    if (needs_type(item)) {
      relied_on_ = true;
      kind = kind_of_items(*kind_);
      api_version = *api_version_;
      if (item.find("kind") == nullptr && kind.empty()) return false;
    }
    delivered_.push_back(json_fuzz::expected_item(item, kind, api_version, keep_managed_fields_, true));
    return true;
  }

  const bool keep_managed_fields_;
  std::optional<std::string> kind_, api_version_;
  std::string version_, continue_;
  bool has_items_ = false;
  bool relied_on_ = false;
  std::vector<Node> held_;
  std::vector<ExpectedItem> delivered_;
};

void check_against_tree(std::string_view text, const json_fuzz::Settings& settings,
                        const json_fuzz::Transcript& found) {
  Node list;
  std::string_view rest = text;
  const Parsed parsed = json_fuzz::take_document(rest, list);
  if (parsed == Parsed::beyond_the_checker) return;
  const bool whole = parsed == Parsed::whole && rest.find_first_not_of(" \t\r\n") == std::string_view::npos;
  if (!whole) return require(!found.error.empty(), "what is not one JSON document was taken for a list");
  ExpectedList expected(settings.keep_managed_fields);
  const bool accepted = expected.read(list);
  require(accepted == found.error.empty(), "accepted differently than by the tree: " + found.error);
  require(expected.delivered().size() == found.lines.size(), "another number of items than in the tree");
  for (std::size_t i = 0; i < found.lines.size(); ++i) {
    require(is_reported(expected.delivered()[i], found.lines[i], found.texts[i]),
            "item differs from the tree: " + found.lines[i] + " expected " + expected.delivered()[i].fields);
  }
  if (accepted) require(expected.end() == found.end, "metadata differs: " + found.end + " not " + expected.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const json_fuzz::Ways ways{ksr::list_transcript, ksr_no_wide::list_transcript, ksr_portable::list_transcript};
  return json_fuzz::check_each_way(ways, data, size, check_against_tree);
}

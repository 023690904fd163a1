// Watches: WatchReader finds the events that trees made by Boost.JSON have, refuses what is no watch, and reports the
// same for every split of the bytes and with each way of skipping.
#include "fuzz/fuzz.hpp"
#include "fuzz/json/each_way.hpp"
#include "fuzz/json/expected_item.hpp"
#include "fuzz/json/kernel_readers.hpp"

namespace {

using json_fuzz::Node;
using json_fuzz::Parsed;
using ksr::fuzz::require;

std::size_t skip_space(std::string_view text) {
  return std::min(text.find_first_not_of(" \t\r\n"), text.size());
}

bool begins_with(const std::string& line, std::string_view word) {
  return line.compare(0, word.size(), word) == 0;
}

void check_bookmark(const Node* object, const std::string& line) {
  const Node* const metadata = object == nullptr || !object->is_object() ? nullptr : object->find("metadata");
  const bool has_metadata = metadata != nullptr && metadata->is_object();
  const Node* const version = has_metadata ? metadata->find("resourceVersion") : nullptr;
  const bool bad = object == nullptr || !object->is_object() || !json_fuzz::is_good_field(version, false, true);
  if (bad) return require(begins_with(line, "BAD "), "a bookmark that is none: " + line);
  const Node* const annotations = has_metadata ? metadata->find("annotations") : nullptr;
  const bool annotated = annotations != nullptr && annotations->is_object();
  const std::string end =
      json_fuzz::string_or_empty(annotated ? annotations->find("k8s.io/initial-events-end") : nullptr);
  require(line == "BOOKMARK " + json_fuzz::string_or_empty(version) + (end == "true" ? " end" : ""),
          "a bookmark differs from the tree: " + line);
}

// `texts` has the text of each item so far; `item` counts them.
void check_event(const Node& event, const json_fuzz::Settings& settings, const std::string& line,
                 const std::vector<std::string>& texts, std::size_t& item) {
  const Node* const type = event.find("type");
  const Node* const object = event.find("object");
  if (type == nullptr || !type->is_string())
    return require(begins_with(line, "BAD "), "an event without type: " + line);
  if (type->text == "BOOKMARK") return check_bookmark(object, line);
  if (type->text == "ERROR") return require(begins_with(line, "ERROR "), "an ERROR event is none: " + line);
  if (type->text != "ADDED" && type->text != "MODIFIED" && type->text != "DELETED") {
    return require(line == "UNKNOWN " + type->text, "an unknown event is none: " + line);
  }
  const bool typed = object != nullptr && object->find("kind") != nullptr && object->find("apiVersion") != nullptr;
  const json_fuzz::ExpectedItem expected =
      json_fuzz::expected_item(object == nullptr ? Node{} : *object, "", "", settings.keep_managed_fields, false);
  if (expected.bad || !typed) return require(begins_with(line, "BAD "), "an event with a bad object: " + line);
  require(begins_with(line, type->text + " ") && item < texts.size() &&
              is_reported(expected, line.substr(type->text.size() + 1), texts[item]),
          "an event differs from the tree: " + line);
  ++item;
}

void check_against_tree(std::string_view text, const json_fuzz::Settings& settings,
                        const json_fuzz::Transcript& found) {
  std::size_t events = 0;
  std::size_t items = 0;
  for (text.remove_prefix(skip_space(text)); !text.empty(); text.remove_prefix(skip_space(text))) {
    Node event;
    const Parsed parsed = text.front() == '{' ? json_fuzz::take_document(text, event) : Parsed::invalid;
    if (parsed == Parsed::beyond_the_checker) return;
    if (parsed == Parsed::invalid) {
      require(!found.error.empty(), "text that is no watch event was taken");
      return require(found.lines.size() == events, "events after text that is none");
    }
    if (parsed == Parsed::incomplete) {
      // Boost.JSON looks at some sequences only when they are whole.
      require(!found.error.empty() || found.end == "within an event", "an incomplete event was taken for a whole one");
      return require(found.lines.size() == events, "events after an incomplete one");
    }
    require(events < found.lines.size(), "an event is missing; " + found.error);
    check_event(event, settings, found.lines[events++], found.texts, items);
  }
  require(found.error.empty() && found.end == "at a boundary", "a valid watch was refused: " + found.error);
  require(found.lines.size() == events && found.texts.size() == items, "more events than in the tree");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const json_fuzz::Ways ways{ksr::watch_transcript, ksr_no_wide::watch_transcript, ksr_portable::watch_transcript};
  return json_fuzz::check_each_way(ways, data, size, check_against_tree);
}

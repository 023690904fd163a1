// find_pointer finds what a walk of a tree made by Boost.JSON finds. The input is a pointer, a line end, a document.
#include "fuzz/fuzz.hpp"
#include "fuzz/json/dom.hpp"
#include "json/json_pointer.hpp"

#include <optional>

namespace {

using json_fuzz::Node;

// RFC 6901, section 4; nothing for a malformed token.
std::optional<std::string> resolved(std::string_view token) {
  std::string name;
  for (; !token.empty(); token.remove_prefix(1)) {
    if (token.front() != '~') {
      name += token.front();
    } else if (token.substr(0, 2) == "~0" || token.substr(0, 2) == "~1") {
      name += token[1] == '0' ? '~' : '/';
      token.remove_prefix(1);
    } else {
      return std::nullopt;
    }
  }
  return name;
}

const Node* element(const Node& array, const std::string& token) {
  if (token.empty() || token.size() > 9 || (token.size() > 1 && token[0] == '0')) return nullptr;
  if (token.find_first_not_of("0123456789") != std::string::npos) return nullptr;
  const std::size_t index = std::stoul(token);
  return index < array.members.size() ? &array.members[index].second : nullptr;
}

// NULL: it names nothing.
const Node* walk(const Node& root, std::string_view pointer) {
  const Node* at = &root;
  bool well_formed = true;
  if (!pointer.empty() && pointer.front() != '/') return nullptr;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    const auto name = resolved(token);
    well_formed = well_formed && name.has_value();
    if (at == nullptr || !name) continue;
    if (at->kind == Node::Kind::array) {
      at = element(*at, std::string(token));
    } else {
      at = at->is_object() ? at->find(*name) : nullptr;
    }
  }
  return well_formed ? at : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ksr::fuzz::Input input(data, size);
  const std::string pointer(input.line());
  const std::string document(input.rest());
  const auto found = ksr::json::find_pointer(document, pointer);
  std::string_view rest = document;
  Node root;
  // Of text that is no JSON anything may be found, within its bounds.
  if (json_fuzz::take_document(rest, root) != json_fuzz::Parsed::whole) return 0;
  if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) return 0;
  const Node* const expected = walk(root, pointer);
  ksr::fuzz::require(found.has_value() == (expected != nullptr), "found is what is not there, or the other way round");
  if (!found) return 0;
  // A number ends with what follows it.
  const std::string text = std::string(*found) + " ";
  std::string_view value = text;
  Node node;
  ksr::fuzz::require(json_fuzz::take_document(value, node) == json_fuzz::Parsed::whole && node == *expected,
                     "another value was found: " + text);
  return 0;
}

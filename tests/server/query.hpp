// `Target` is a parsed request target, with the values that queries carry; used by ApiRequest and the handlers.
// Immutable once parsed: on any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::testserver {

// The target of a request, parsed and percent-decoded.
struct Target {
  std::string path;
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;

  static Target parse(std::string_view target);
  // The value of the first parameter of that name.
  std::optional<std::string> get(std::string_view name) const;
  std::string get_or_empty(std::string_view name) const { return get(name).value_or(""); }
  void forget(std::string_view name);
  // Kubernetes booleans: present and neither "false" nor "0".
  bool flag(std::string_view name) const;
};

std::string percent_decoded(std::string_view text, bool plus_is_space);
bool equal_ignoring_case(std::string_view a, std::string_view b);
// A string of digits; nullopt if it is not one, or too long for a revision of the server.
std::optional<std::uint64_t> parse_number(std::string_view text);

std::string base64url(std::string_view bytes);
// With padding, in the first alphabet.
std::string base64(std::string_view bytes);
// With or without padding, in either alphabet; nullopt on any other character.
std::optional<std::string> base64_decoded(std::string_view text);

// Where the next page of a list starts. A token without a revision continues at the current one.
struct ContinueToken {
  std::optional<std::uint64_t> revision;
  std::string start_key;

  std::string text() const;
  static std::optional<ContinueToken> parse(std::string_view text);
};

}  // namespace ksr::testserver

// Judges whole JSON documents with the readers' scanner.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/scanner.hpp"

namespace ksr::json::testing {

// Enters no container, or each.
struct Judge {
  bool enter_all = false;
  bool too_deep = false;
  bool on_key(const RawText&, std::uint64_t) { return true; }
  bool on_value(ValueKind, std::uint64_t, Interest& interest) {
    if (enter_all) interest = Interest::enter;
    return true;
  }
  bool on_value_end(std::uint64_t, const RawText&) { return true; }
  bool on_leave(std::uint64_t) { return true; }
  bool on_comma(std::uint64_t) { return true; }
  bool on_too_deep(std::uint64_t) {
    too_deep = true;
    return false;
  }
};

struct Verdict {
  bool valid = false;
  std::string problem;
  bool operator==(const Verdict& other) const { return valid == other.valid && problem == other.problem; }
};

// Of the JSON value `text`, which is put into an array first so that numbers have an end.
inline Verdict judge(std::string_view text, std::size_t chunk = 1 << 30, bool enter_all = false,
                     std::size_t max_depth = 512) {
  Judge handler;
  handler.enter_all = enter_all;
  Scanner<Judge> scanner(handler, max_depth);
  const std::string document = "[" + std::string(text) + "]";
  for (std::size_t at = 0; at < document.size(); at += chunk) {
    const std::string_view part = std::string_view(document).substr(at, chunk);
    const std::vector<char> copy(part.begin(), part.end());
    if (scanner.feed({copy.data(), copy.size()}) != Outcome::more) {
      return {false, std::to_string(scanner.offset()) + " " + (handler.too_deep ? "too deep" : scanner.problem())};
    }
  }
  if (!scanner.between_documents()) return {false, "cut"};
  if (scanner.take_ill_formed()) return {false, "not Unicode"};
  return {true, ""};
}

}  // namespace ksr::json::testing

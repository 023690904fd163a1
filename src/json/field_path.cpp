#include "json/field_path.hpp"

#include <algorithm>
#include <utility>

#include "base/option_text.hpp"

namespace ksr::json {
namespace {

constexpr std::string_view kBlanks = " \t";

Expected<FieldStep> parse_step(std::string_view token) {
  FieldStep step;
  step.any = token == "*";
  for (std::size_t i = 0; i < token.size(); ++i) {
    char c = token[i];
    if (c == '~') {
      ++i;
      if (i == token.size() || (token[i] != '0' && token[i] != '1')) {
        return expected("JSON pointers, in which ~0 stands for ~ and ~1 for /");
      }
      c = token[i] == '0' ? '~' : '/';
    }
    step.name += c;
  }
  return step;
}

Expected<FieldPath> parse_path(std::string_view pointer) {
  if (pointer.front() != '/') return expected("JSON pointers such as /status/phase, separated by blanks");
  FieldPath path;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view token = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(token.size());
    Expected<FieldStep> step = parse_step(token);
    if (!step) return std::move(step).error();
    path.push_back(std::move(step).value());
  }
  if (path.front().any)
    return expected("JSON pointers that begin with the name of a member, such as /status/*, not /*");
  return path;
}

}  // namespace

Expected<std::vector<FieldPath>> parse_field_paths(std::string_view text) {
  std::vector<FieldPath> paths;
  if (text.find_first_of("\r\n") != std::string_view::npos) return expected("one line of text");
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) return paths;
    const std::string_view pointer = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(pointer.size());
    if (paths.size() == kMaxFieldPaths) return expected("at most " + std::to_string(kMaxFieldPaths) + " JSON pointers");
    Expected<FieldPath> path = parse_path(pointer);
    if (!path) return std::move(path).error();
    paths.push_back(std::move(path).value());
  }
}

bool names_several(const FieldPath& path) noexcept {
  return std::any_of(path.begin(), path.end(), [](const FieldStep& step) { return step.any; });
}

}  // namespace ksr::json

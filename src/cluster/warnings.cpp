#include "cluster/warnings.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

class WarningCursor {
 public:
  explicit WarningCursor(std::string_view rest) : rest_(rest) {}

  // False at the end.
  bool skip_separators() {
    const std::size_t begin = rest_.find_first_not_of(" \t,");
    rest_.remove_prefix(std::min(begin, rest_.size()));
    return !rest_.empty();
  }
  // Up to the next blank, which is skipped.
  std::string_view take_word() {
    const std::size_t end = std::min(rest_.find_first_of(kBlanks), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    rest_.remove_prefix(end);
    skip_blanks();
    return word;
  }
  std::optional<std::string> take_quoted() {
    if (rest_.empty() || rest_.front() != '"') return std::nullopt;
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] == '"') {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (rest_[i] == '\\' && ++i == rest_.size()) break;
      text += rest_[i];
    }
    return std::nullopt;
  }
  // The date of the warning (an HTTP date in quotes), where there is one.
  void skip_date() {
    skip_blanks();
    take_quoted();
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size())); }

  std::string_view rest_;
};

bool is_code(std::string_view word) {
  return word.size() == 3 && std::all_of(word.begin(), word.end(), is_digit);
}

}  // namespace

std::vector<std::string> parse_warnings(std::string_view field) {
  std::vector<std::string> texts;
  WarningCursor cursor(field);
  while (cursor.skip_separators()) {
    const std::string_view code = cursor.take_word();
    if (!is_code(code)) break;
    cursor.take_word();  // who warns
    std::optional<std::string> text = cursor.take_quoted();
    if (!text) break;
    cursor.skip_date();
    if (code == "299") texts.push_back(*std::move(text));
  }
  return texts;
}

// One line after the other: the rest of one whose warning is malformed is not read.
std::vector<std::string> warnings_of(const transport::ResponseHead& head) {
  std::vector<std::string> all;
  for (const transport::Header& one : head.headers) {
    if (one.name != "warning") continue;
    for (std::string& text : parse_warnings(one.value)) all.push_back(std::move(text));
  }
  return all;
}

}  // namespace ksr::cluster

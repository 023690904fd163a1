#include "server/words.hpp"

#include <stdexcept>

#include "server/query.hpp"

namespace ksr::testserver {
namespace {

// Scans one line; quotes within braces belong to the JSON and are kept.
class Splitter {
 public:
  std::vector<std::string> split(std::string_view line) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool escaped = line[i] == '\\' && quoted_ && i + 1 < line.size();
      if (escaped) ++i;
      take(line[i], escaped);
    }
    if (quoted_ || depth_ > 0) throw std::runtime_error("a quote or brace is not closed: " + std::string(line));
    finish_word();
    return std::move(words_);
  }

 private:
  void take(char c, bool escaped) {
    if (escaped) return take_escaped(c);
    if (c == '"') {
      quoted_ = !quoted_;
      begun_ = true;
      if (depth_ == 0) return;
    } else if (!quoted_) {
      if (c == '{' || c == '[') ++depth_;
      if (c == '}' || c == ']') --depth_;
      if (depth_ == 0 && (c == ' ' || c == '\t' || c == '\r')) return finish_word();
    }
    word_ += c;
    begun_ = true;
  }

  void take_escaped(char c) {
    if (depth_ > 0) {
      word_ += '\\';
      word_ += c;
    } else {
      word_ += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
  }

  void finish_word() {
    if (begun_) words_.push_back(word_);
    word_.clear();
    begun_ = false;
  }

  std::vector<std::string> words_;
  std::string word_;
  bool begun_ = false;
  bool quoted_ = false;
  int depth_ = 0;
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

std::vector<std::string> split_words(std::string_view line) {
  return Splitter().split(line);
}

std::chrono::milliseconds parse_duration(std::string_view text) {
  const std::pair<std::string_view, std::uint64_t> units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
  for (const auto& [suffix, factor] : units) {
    if (!ends_with(text, suffix)) continue;
    if (const auto number = parse_number(text.substr(0, text.size() - suffix.size()))) {
      return std::chrono::milliseconds(*number * factor);
    }
    break;
  }
  throw std::runtime_error("not a duration such as 50ms, 2s or 1m: " + std::string(text));
}

std::uint64_t parse_size(std::string_view text) {
  std::uint64_t factor = 1;
  if (ends_with(text, "Ki")) factor = 1024;
  if (ends_with(text, "Mi")) factor = 1024 * 1024;
  const auto number = parse_number(factor == 1 ? text : text.substr(0, text.size() - 2));
  if (!number) throw std::runtime_error("not a size such as 100, 64Ki or 3Mi: " + std::string(text));
  return *number * factor;
}

}  // namespace ksr::testserver

#include "server/selector.hpp"

#include <algorithm>
#include <regex>
#include <stdexcept>

namespace ksr::testserver {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits at commas outside of parentheses.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++depth;
    if (text[i] == ')') --depth;
    if (text[i] == ',' && depth == 0) {
      parts.push_back(trimmed(text.substr(start, i - start)));
      start = i + 1;
    }
  }
  parts.push_back(trimmed(text.substr(start)));
  return parts;
}

bool is_key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
         c == '_' || c == '/';
}

std::string checked_key(std::string_view key) {
  if (key.empty() || !std::all_of(key.begin(), key.end(), is_key_character)) {
    throw std::runtime_error("unable to parse requirement: invalid key \"" + std::string(key) + "\"");
  }
  return std::string(key);
}

}  // namespace

Selector Selector::parse(std::string_view text) {
  Selector result;
  if (trimmed(text).empty()) return result;
  for (const auto part : split(text)) result.requirements_.push_back(parse_requirement(part));
  return result;
}

Selector::Requirement Selector::parse_requirement(std::string_view text) {
  const auto negated_equal = text.find("!=");
  if (negated_equal != std::string_view::npos) {
    return {checked_key(trimmed(text.substr(0, negated_equal))),
            Operator::not_in,
            {std::string(trimmed(text.substr(negated_equal + 2)))}};
  }
  const auto equal = text.find('=');
  if (equal != std::string_view::npos) {
    const auto value = text.substr(equal + (text.substr(equal, 2) == "==" ? 2 : 1));
    return {checked_key(trimmed(text.substr(0, equal))), Operator::in, {std::string(trimmed(value))}};
  }
  if (!text.empty() && text.front() == '!') return {checked_key(trimmed(text.substr(1))), Operator::absent, {}};
  const auto open = text.find('(');
  if (open == std::string_view::npos) return {checked_key(text), Operator::exists, {}};

  const auto head = trimmed(text.substr(0, open));
  const auto space = head.rfind(' ');
  const auto word = space == std::string_view::npos ? std::string_view() : head.substr(space + 1);
  if ((word != "in" && word != "notin") || text.back() != ')') {
    throw std::runtime_error("unable to parse requirement: found '" + std::string(text) +
                             "', expected: in, notin, =, ==, !=");
  }
  Requirement result{checked_key(trimmed(head.substr(0, space))), word == "in" ? Operator::in : Operator::not_in, {}};
  for (const auto value : split(text.substr(open + 1, text.size() - open - 2))) result.values.emplace_back(value);
  return result;
}

bool Selector::matches(const std::map<std::string, std::string>& values) const {
  for (const auto& requirement : requirements_) {
    const auto found = values.find(requirement.key);
    const bool present = found != values.end();
    const bool listed = present && std::find(requirement.values.begin(), requirement.values.end(), found->second) !=
                                       requirement.values.end();
    const bool holds = requirement.op == Operator::in       ? listed
                       : requirement.op == Operator::not_in ? !listed
                       : requirement.op == Operator::exists ? present
                                                            : !present;
    if (!holds) return false;
  }
  return true;
}

std::vector<std::string> Selector::keys() const {
  std::vector<std::string> result;
  for (const auto& requirement : requirements_) result.push_back(requirement.key);
  return result;
}

ShardRange ShardRange::parse(std::string_view text) {
  static const std::regex form(
      R"(shardRange\(object\.metadata\.uid, '0x([0-9a-f]{16})', '0x([0-9a-f]{16}|10000000000000000)'\))");
  const std::string whole(text);
  std::smatch parts;
  if (!std::regex_match(whole, parts, form)) throw std::runtime_error("invalid shard selector: " + whole);
  ShardRange range;
  range.text_ = whole;
  range.first_ = std::stoull(parts[1], nullptr, 16);
  range.last_ = parts[2].length() == 17 ? ~std::uint64_t{0} : std::stoull(parts[2], nullptr, 16) - 1;
  if (range.last_ < range.first_) throw std::runtime_error("invalid shard selector: its range is empty: " + whole);
  return range;
}

bool ShardRange::holds(std::string_view uid) const {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : uid) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 1099511628211U;
  }
  return first_ <= hash && hash <= last_;
}

}  // namespace ksr::testserver

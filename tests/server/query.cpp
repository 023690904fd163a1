#include "server/query.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>

namespace ksr::testserver {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '-' || c == '+') return 62;
  if (c == '_' || c == '/') return 63;
  return -1;
}

template <typename Visitor>
void for_each_part(std::string_view text, char separator, Visitor visit) {
  while (true) {
    const auto end = text.find(separator);
    if (!text.substr(0, end).empty()) visit(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::string percent_decoded(std::string_view text, bool plus_is_space) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      result += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return result;
}

Target Target::parse(std::string_view target) {
  Target result;
  const auto question = target.find('?');
  const auto raw_path = target.substr(0, question);
  result.path = percent_decoded(raw_path, false);
  for_each_part(raw_path, '/', [&](std::string_view part) { result.segments.push_back(percent_decoded(part, false)); });
  if (question == std::string_view::npos) return result;
  for_each_part(target.substr(question + 1), '&', [&](std::string_view part) {
    const auto equal = part.find('=');
    const auto value = equal == std::string_view::npos ? std::string_view() : part.substr(equal + 1);
    result.query.emplace_back(percent_decoded(part.substr(0, equal), true), percent_decoded(value, true));
  });
  return result;
}

std::optional<std::string> Target::get(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

void Target::forget(std::string_view name) {
  query.erase(
      std::remove_if(query.begin(), query.end(), [&](const auto& parameter) { return parameter.first == name; }),
      query.end());
}

bool Target::flag(std::string_view name) const {
  const auto value = get(name);
  return value && *value != "0" && !equal_ignoring_case(*value, "false");
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::tolower(static_cast<unsigned char>(a[i])) != std::tolower(static_cast<unsigned char>(b[i]))) return false;
  }
  return true;
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::string base64(std::string_view bytes) {
  std::string result = base64url(bytes);
  std::replace(result.begin(), result.end(), '-', '+');
  std::replace(result.begin(), result.end(), '_', '/');
  result.append((4 - result.size() % 4) % 4, '=');
  return result;
}

std::string base64url(std::string_view bytes) {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string result;
  unsigned held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = (held << 8 | static_cast<unsigned char>(c)) & 0xffffff;
    for (bits += 8; bits >= 6; bits -= 6) result += kAlphabet[held >> (bits - 6) & 63];
  }
  if (bits > 0) result += kAlphabet[held << (6 - bits) & 63];
  return result;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string result;
  unsigned held = 0;
  int bits = 0;
  for (const char c : text) {
    const int value = base64_value(c);
    if (value < 0) return std::nullopt;
    held = (held << 6 | static_cast<unsigned>(value)) & 0xffffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      result += static_cast<char>(held >> bits & 0xff);
    }
  }
  return result;
}

// apiserver/pkg/storage/continue.go: version, revision (-1: any) and start key, as JSON in base64url.
std::string ContinueToken::text() const {
  boost::json::object token;
  token["v"] = "meta.k8s.io/v1";
  token["rv"] = revision ? static_cast<std::int64_t>(*revision) : -1;
  token["start"] = start_key;
  return base64url(boost::json::serialize(token));
}

std::optional<ContinueToken> ContinueToken::parse(std::string_view text) {
  const auto decoded = base64_decoded(text);
  if (!decoded) return std::nullopt;
  boost::system::error_code error;
  const auto value = boost::json::parse(*decoded, error);
  if (error || !value.is_object()) return std::nullopt;
  const auto* rv = value.get_object().if_contains("rv");
  const auto* start = value.get_object().if_contains("start");
  if (!rv || !rv->is_int64() || !start || !start->is_string()) return std::nullopt;
  ContinueToken result;
  if (rv->get_int64() >= 0) result.revision = static_cast<std::uint64_t>(rv->get_int64());
  result.start_key = start->get_string().c_str();
  return result;
}

}  // namespace ksr::testserver

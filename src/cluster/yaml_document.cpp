#include "cluster/yaml_document.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxNotes = 8;
constexpr std::size_t kEventsBetweenClockReads = 256;

constexpr std::string_view kCoreTag = "tag:yaml.org,2002:";

using Kind = YamlNode::Kind;

// go-yaml v2, resolve.go: what is unquoted and has the form of a number is one.
bool is_integer(std::string_view text) {
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) text.remove_prefix(1);
  if (text.size() > 2 && text[0] == '0') {
    const char base = lower_case(text[1]);
    const std::string_view digits = text.substr(2);
    const auto all = [digits](auto is_one) { return std::all_of(digits.begin(), digits.end(), is_one); };
    if (base == 'x') return all([](char c) { return hex_value(c) >= 0; });
    if (base == 'b') return all([](char c) { return c == '0' || c == '1'; });
    if (base == 'o') return all([](char c) { return c >= '0' && c <= '7'; });
  }
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

// Of a decimal number that no double can hold: it is nearer to zero than those, not too large.
bool is_below_range(std::string_view text) {
  const std::size_t exponent_at = std::min(text.find_first_of("eE"), text.size());
  std::string_view exponent = text.substr(std::min(exponent_at + 1, text.size()));
  if (!exponent.empty() && exponent.front() == '+') exponent.remove_prefix(1);
  std::int64_t power = 0;
  const auto read = std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
  if (read.ec == std::errc::result_out_of_range) return exponent.front() == '-';
  const std::string_view digits = text.substr(0, exponent_at);
  const std::size_t point = std::min(digits.find('.'), digits.size());
  const std::size_t first = digits.find_first_of("123456789");
  return first == std::string_view::npos || power < static_cast<std::int64_t>(first) - static_cast<std::int64_t>(point);
}

std::optional<double> decimal(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end != text.data() + text.size()) return std::nullopt;
  // As for Go's strconv.ParseFloat.
  if (failure == std::errc::result_out_of_range && is_below_range(text)) return 0;
  if (failure != std::errc()) return std::nullopt;
  return number;
}

bool is_special_number(std::string_view text) {
  const bool is_signed = !text.empty() && (text.front() == '+' || text.front() == '-');
  const std::string_view word = text.substr(is_signed ? 1 : 0);
  return word == ".inf" || word == ".Inf" || word == ".INF" ||
         (!is_signed && (word == ".nan" || word == ".NaN" || word == ".NAN"));
}

std::string without_underscores(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  return plain;
}

bool is_number(std::string_view text) {
  if (text.empty() || std::string_view("0123456789+-.").find(text.front()) == std::string_view::npos) return false;
  if (is_special_number(text)) return true;
  const std::string plain = without_underscores(text);
  // from_chars also reads words such as inf.
  const bool has_digits = std::any_of(plain.begin(), plain.end(), is_digit);
  return has_digits && (is_integer(plain) || (decimal(plain) && std::isfinite(*decimal(plain))));
}

std::optional<bool> boolean(std::string_view text) {
  for (const std::string_view yes : {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

std::string at_line(const YAML::Mark& mark) {
  return mark.is_null() ? "" : " at line " + std::to_string(mark.line + 1);
}

// yaml-cpp 0.7, src/exp.cpp: the escapes \_ and \N become one byte each. In valid UTF-8 none stands alone.
std::string with_whole_escapes(const std::string& text) {
  if (is_utf8(text)) return text;
  std::string whole;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t size = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (byte == 0xa0 || byte == 0x85) whole += '\xc2';
    whole.append(text, i, size);
    i += size;
  }
  return whole;
}

std::string json_place(const std::string& place, const char* reason) {
  return place.empty() ? reason : place + ": " + reason;
}

boost::json::value json_number(const std::string& text, const std::string& place) {
  const std::string plain = without_underscores(text);
  std::string_view digits = plain;
  const bool negative = digits.front() == '-';
  if (negative || digits.front() == '+') digits.remove_prefix(1);
  int base = 10;
  if (digits.size() > 2 && digits[0] == '0' && !is_digit(digits[1]) && is_integer(digits)) {
    base = lower_case(digits[1]) == 'x' ? 16 : lower_case(digits[1]) == 'b' ? 2 : 8;
    digits.remove_prefix(2);
  } else if (digits.size() > 1 && digits[0] == '0' &&
             std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '7'; })) {
    base = 8;
  }
  std::uint64_t magnitude = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (failure == std::errc() && end == digits.data() + digits.size()) {
    if (!negative) return magnitude;
    if (magnitude <= std::uint64_t{1} << 63) return static_cast<std::int64_t>(~magnitude + 1);
  }
  const auto number = decimal(plain);
  if (!number || !std::isfinite(*number)) throw YamlMismatch(json_place(place, "has a number that JSON cannot hold"));
  return *number;
}

// Of what is_number.
bool is_whole_number(const std::string& text) {
  return !is_special_number(text) && !json_number(text, "").is_double();
}

// sigs.k8s.io/yaml, convertToJSONableObject: a key that is a boolean or a number is the text of its value.
std::string key_text(const YamlNode& node) {
  if (node.kind == Kind::boolean) return boolean(node.text).value_or(false) ? "true" : "false";
  if (node.kind != Kind::number || is_special_number(node.text)) return node.text;
  const boost::json::value number = json_number(node.text, "");
  if (!number.is_double()) return boost::json::serialize(number);
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number.get_double()).ptr;
  return {buffer.data(), end};
}

// U+0080 to U+009F but for NEL, U+FEFF, U+FFFE and U+FFFF; of UTF-8.
bool is_wide_control(std::string_view at) {
  const auto byte = [at](std::size_t i) { return i < at.size() ? static_cast<unsigned char>(at[i]) : 0; };
  if (byte(0) == 0xc2) return byte(1) >= 0x80 && byte(1) < 0xa0 && byte(1) != 0x85;
  return byte(0) == 0xef && ((byte(1) == 0xbb && byte(2) == 0xbf) || (byte(1) == 0xbf && byte(2) >= 0xbe));
}

bool has_forbidden_character(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (is_control(line[i]) && line[i] != '\t' && line[i] != '\r') return true;
    if (is_wide_control(line.substr(i, 3))) return true;
  }
  return false;
}

bool is_utf16(std::string_view text) {
  return text.substr(0, 2) == "\xff\xfe" || text.substr(0, 2) == "\xfe\xff";
}

bool is_lone_return(std::string_view text, std::size_t at) {
  return text[at] == '\r' && text.substr(at + 1, 1) != "\n";
}

// go-yaml v2, readerc.go, yaml_parser_update_buffer. yaml-cpp takes any character, and puts U+FFFD in the place of
// bytes that are no UTF-8. False: it is UTF-16, which is left to yaml-cpp.
bool check_characters(std::string_view text) {
  if (is_utf16(text)) return false;
  text = without_byte_order_mark(text);
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!is_utf8(line)) throw YamlMismatch("has bytes that are not UTF-8 at line " + std::to_string(number));
    if (has_forbidden_character(line)) {
      throw YamlMismatch("has a control character at line " + std::to_string(number));
    }
  }
  return true;
}

// As Go writes 1e3: a reader that expects a whole number takes no exponent.
boost::json::value as_whole(const boost::json::value& number) {
  constexpr double kTwoToThe63 = 9'223'372'036'854'775'808.0;
  const double* const real = number.if_double();
  if (real == nullptr || !(std::fabs(*real) < kTwoToThe63) || std::trunc(*real) != *real) return number;
  return static_cast<std::int64_t>(*real);
}

class JsonMaker {
 public:
  JsonMaker(const std::string& place, std::size_t max_values) : place_(place), max_values_(max_values) {}

  boost::json::value make(const YamlNode& node) {
    if (++values_ > max_values_) throw YamlMismatch(json_place(place_, "is too large"));
    switch (node.kind) {
      case Kind::null:
        return nullptr;
      case Kind::boolean:
        return boolean(node.text).value_or(false);
      case Kind::number:
        return as_whole(json_number(node.text, place_));
      case Kind::text:
        return boost::json::string(node.text);
      case Kind::sequence: {
        boost::json::array array;
        for (const YamlNode* item : node.items) array.push_back(make(*item));
        return array;
      }
      case Kind::mapping:
        break;
    }
    boost::json::object object;
    for (const auto& [key, value] : node.members) object[key] = make(*value);
    return object;
  }

 private:
  const std::string& place_;
  const std::size_t max_values_;
  std::size_t values_ = 0;
};

}  // namespace

// go-yaml v2, decode.go, as far as it makes JSON (sigs.k8s.io/yaml, YAMLToJSON).
class YamlDocument::Builder final : public YAML::EventHandler {
 public:
  Builder(YamlDocument& document, bool is_utf8, const YamlLimits& limits)
      : document_(document),
        is_utf8_(is_utf8),
        limits_(limits),
        deadline_(std::chrono::steady_clock::now() + limits.max_time) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, make(mark, anchor)); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    count(mark);
    const YamlNode* const node = anchors_[anchor];
    for (const Level& level : levels_) {
      if (level.node == node) throw YamlMismatch("has an anchor that contains itself" + at_line(mark));
    }
    // An alias of a list of mappings is not a list of aliases: go-yaml refuses to merge it.
    const bool merges = !levels_.empty() && levels_.back().merges;
    if (merges && node->kind == Kind::sequence) refuse_merge(mark);
    add(mark, *node);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode& node = make(mark, anchor);
    node.text = is_utf8_ ? with_whole_escapes(value) : value;
    const bool is_key = expects_key();
    const bool plain = tag == "?" || tag.empty();
    if (is_key && value == "<<" && (plain || tag == std::string(kCoreTag) + "merge")) {
      levels_.back().merges = true;
      levels_.back().has_key = true;
      return;
    }
    type(mark, tag, plain, node);
    add(mark, node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Kind::sequence);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, Kind::mapping);
  }
  void OnMapEnd() override { end(); }

  // Of a document that is valid otherwise; empty without one.
  const std::string& problem() const noexcept { return problem_; }

  void note(const YAML::Mark& mark, const std::string& what) {
    if (document_.notes_.size() >= kMaxNotes) return;
    document_.notes_.push_back("line " + std::to_string(mark.line + 1) + ": " + what);
  }

 private:
  // A collection that is not complete yet.
  struct Level {
    YamlNode* node;
    YAML::Mark mark;
    std::string key;
    bool has_key = false;
    bool merges = false;
  };

  void count(const YAML::Mark& mark) {
    if (++nodes_ > limits_.max_nodes) {
      throw YamlMismatch("has too many values" + at_line(mark) + "; expected at most " +
                         std::to_string(limits_.max_nodes));
    }
    if (nodes_ % kEventsBetweenClockReads == 0 && std::chrono::steady_clock::now() > deadline_) {
      throw YamlMismatch("takes too long to read" + at_line(mark));
    }
  }

  YamlNode& make(const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(mark);
    YamlNode& node = document_.nodes_.emplace_back();
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    return node;
  }

  bool expects_key() const {
    return !levels_.empty() && levels_.back().node->kind == Kind::mapping && !levels_.back().has_key;
  }

  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Kind kind) {
    if (levels_.size() >= limits_.max_depth) throw YamlMismatch("is nested too deep" + at_line(mark));
    const char* const own = kind == Kind::mapping ? "map" : "seq";
    if (tag != "?" && tag != "!" && !tag.empty() && tag != std::string(kCoreTag) + own) {
      note(mark, "a tag is ignored");
    }
    YamlNode& node = make(mark, anchor);
    node.kind = kind;
    levels_.push_back({&node, mark, {}});
  }

  void end() {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    add(level.mark, *level.node);
  }

  void type(const YAML::Mark& mark, const std::string& tag, bool plain, YamlNode& node) {
    node.kind = Kind::text;
    const std::string_view whole = tag;
    if (plain) {
      if (boolean(node.text)) node.kind = Kind::boolean;
      if (is_number(node.text)) node.kind = Kind::number;
      return;
    }
    if (whole == "!") return;
    if (whole.substr(0, kCoreTag.size()) != kCoreTag) return note(mark, "a tag is ignored, and its value is text");
    const std::string_view core = whole.substr(kCoreTag.size());
    const bool is_type = core == "null" ? is_null(node.text) : core == "bool" ? boolean(node.text).has_value() : true;
    const bool number = core == "int" || core == "float";
    if (!is_type || (number && !is_number(node.text)) || (core == "int" && !is_whole_number(node.text))) {
      throw YamlMismatch("has a value that is not of the type of its tag" + at_line(mark));
    }
    if (number) {
      node.kind = Kind::number;
    } else if (core == "bool") {
      node.kind = Kind::boolean;
    } else if (core == "null") {
      node.kind = Kind::null;
    } else if (core == "binary") {
      auto bytes = base64_decode(node.text);
      if (!bytes) throw YamlMismatch("has a !!binary value that is not base64" + at_line(mark));
      node.text = *std::move(bytes);
    } else if (core != "str" && core != "timestamp") {
      note(mark, "a tag is ignored, and its value is text");
    }
  }

  static bool is_null(std::string_view text) {
    return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
  }

  // To the collection it is in.
  void add(const YAML::Mark& mark, const YamlNode& node) {
    if (levels_.empty()) {
      document_.root_ = &node;
      return;
    }
    Level& level = levels_.back();
    if (level.node->kind == Kind::sequence) return level.node->items.push_back(&node);
    if (!level.has_key) {
      // Told where the rest is valid: what is not closed looks like this as well.
      if (problem_.empty() && (node.kind == Kind::sequence || node.kind == Kind::mapping)) {
        problem_ = "has a key that is not a scalar" + at_line(mark);
      }
      if (problem_.empty() && node.kind == Kind::null) problem_ = "has a key that is null" + at_line(mark);
      level.key = key_text(node);
      level.has_key = true;
      return;
    }
    level.has_key = false;
    if (std::exchange(level.merges, false)) return merge(mark, *level.node, node);
    if (!level.node->members.insert_or_assign(std::move(level.key), &node).second) {
      note(mark, "a key occurs twice; the last one is used");
    }
  }

  // https://yaml.org/type/merge.html. As for kubectl, what is merged replaces what stands before it.
  void merge(const YAML::Mark& mark, YamlNode& into, const YamlNode& value) {
    if (value.kind == Kind::mapping) return merge_one(mark, into, value);
    if (value.kind != Kind::sequence) return refuse_merge(mark);
    for (auto item = value.items.rbegin(); item != value.items.rend(); ++item) {
      if ((*item)->kind != Kind::mapping) return refuse_merge(mark);
      merge_one(mark, into, **item);
    }
  }

  void merge_one(const YAML::Mark& mark, YamlNode& into, const YamlNode& from) {
    for (const auto& [key, value] : from.members) {
      count(mark);
      into.members.insert_or_assign(key, value);
    }
  }

  [[noreturn]] static void refuse_merge(const YAML::Mark& mark) {
    throw YamlMismatch("has a merge key (<<) without a mapping" + at_line(mark) +
                       "; expected a mapping or a list of mappings");
  }

  YamlDocument& document_;
  const bool is_utf8_;
  const YamlLimits limits_;
  const std::chrono::steady_clock::time_point deadline_;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, const YamlNode*> anchors_;
  std::string problem_;
  std::size_t nodes_ = 0;
};

YamlDocument::YamlDocument(const std::string& given, const YamlLimits& limits) {
  const std::string text = with_line_feeds(given);
  const bool is_utf8 = check_characters(text);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Builder builder(*this, is_utf8, limits);
    parser.HandleNextDocument(builder);
    if (!builder.problem().empty()) throw YamlMismatch(builder.problem());
    if (root_ == nullptr) root_ = &nodes_.emplace_back();
    try {
      has_more_ = static_cast<bool>(parser);
    } catch (const YAML::Exception&) {
      has_more_ = true;
    }
    if (has_more_) notes_.emplace_back("there is more than one document; the first is used");
  } catch (const YAML::Exception& failure) {
    // Its message may quote the text, which may have a secret there.
    throw YamlMismatch("is not valid YAML" + at_line(failure.mark));
  }
}

std::string with_line_feeds(std::string text) {
  if (is_utf16(text)) return text;
  for (std::size_t at = text.find('\r'); at != std::string::npos; at = text.find('\r', at + 1)) {
    if (is_lone_return(text, at)) text[at] = '\n';
  }
  return text;
}

bool yaml_boolean(const std::string& text) {
  return boolean(text).value_or(false);
}

std::string yaml_as_json(const YamlNode& node, const std::string& place, std::size_t max_values) {
  return boost::json::serialize(JsonMaker(place, max_values).make(node));
}

}  // namespace ksr::cluster

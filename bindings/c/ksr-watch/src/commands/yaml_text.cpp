#include "commands/yaml_text.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "commands/json_text.hpp"
#include "commands/output.hpp"
#include "commands/yaml_scalar.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

constexpr int kIndent = 2;
// Beyond it a blank becomes a line end where that means the same.
constexpr int kLineWidth = 80;
// A longer key is written with a question mark before it.
constexpr std::size_t kMaxSimpleKey = 128;

enum class Style { plain, single_quoted, double_quoted, literal };

class YamlWriter {
 public:
  explicit YamlWriter(bool on_terminal) : on_terminal_(on_terminal) {}

  void add(const json::value& value) {
    switch (value.kind()) {
      case json::kind::object:
        return add_mapping(value.get_object());
      case json::kind::array:
        return add_sequence(value.get_array());
      case json::kind::string:
        return add_text({value.get_string().data(), value.get_string().size()});
      case json::kind::double_:
        return add_plain(number(value.get_double()));
      default:
        return add_plain(json::serialize(value));
    }
  }
  std::string take() {
    begin_line();
    return std::move(out_);
  }

 private:
  // sigs.k8s.io/yaml reads its JSON as YAML, where a whole number without an exponent is an integer.
  static std::string number(double value) {
    const std::string as_json = go_json_number(value);
    const bool whole = as_json.find_first_of(".e") == std::string::npos && as_json.size() <= 19;
    return whole ? as_json : go_number(value);
  }

  // ---- what a line is made of: the last character was a blank, and the line has nothing but what indents it

  void put(char c) {
    out_ += c;
    ++column_;
  }
  void put_character(std::string_view text, std::size_t& i) {
    const std::size_t size = character_size(text[i]);
    out_ += text.substr(i, size);
    i += size;
    ++column_;
  }
  void put_line_end() {
    out_ += '\n';
    column_ = 0;
  }
  void begin_line() {
    const int indent = std::max(indent_, 0);
    if (!only_indentation_ || column_ > indent || (column_ == indent && !after_blank_)) put_line_end();
    while (column_ < indent) put(' ');
    after_blank_ = true;
    only_indentation_ = true;
  }
  void put_indicator(std::string_view indicator, bool blank_before, bool indents) {
    if (blank_before && !after_blank_) put(' ');
    for (const char c : indicator) put(c);
    after_blank_ = false;
    only_indentation_ = only_indentation_ && indents;
  }

  // ---- collections

  void add_mapping(const json::object& object) {
    if (object.empty()) return put_indicator("{}", true, false);
    std::vector<std::pair<std::string_view, const json::value*>> members;
    for (const auto& member : object) {
      members.emplace_back(std::string_view(member.key().data(), member.key().size()), &member.value());
    }
    std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return key_less(a.first, b.first); });
    const int outer = indent_;
    indent_ = outer < 0 ? 0 : outer + kIndent;
    for (const auto& [key, value] : members) add_member(key, *value);
    indent_ = outer;
  }

  void add_member(std::string_view key, const json::value& value) {
    begin_line();
    const bool simple = key.size() <= kMaxSimpleKey && !styles_of(key).multiline;
    in_simple_key_ = simple;
    if (!simple) put_indicator("?", true, true);
    add_text(key);
    in_simple_key_ = false;
    if (!simple) begin_line();
    put_indicator(":", !simple, !simple);
    in_mapping_ = true;
    add(value);
  }

  // Within a mapping its items are not indented.
  void add_sequence(const json::array& array) {
    if (array.empty()) return put_indicator("[]", true, false);
    const int outer = indent_;
    if (!(in_mapping_ && !only_indentation_)) indent_ = outer < 0 ? 0 : outer + kIndent;
    for (const json::value& value : array) {
      begin_line();
      put_indicator("-", true, true);
      in_mapping_ = false;
      add(value);
    }
    indent_ = outer;
  }

  // ---- scalars

  void add_plain(std::string_view text) { write_plain(text, false); }

  // Its further lines are indented once more.
  void add_text(std::string_view text) {
    const int outer = indent_;
    indent_ = std::max(outer, 0) + kIndent;
    switch (style_of(text)) {
      case Style::plain:
        write_plain(text, !in_simple_key_);
        break;
      case Style::single_quoted:
        write_single_quoted(text, !in_simple_key_);
        break;
      case Style::double_quoted:
        write_double_quoted(text, !in_simple_key_);
        break;
      case Style::literal:
        write_literal(text);
        break;
    }
    indent_ = outer;
  }

  Style style_of(std::string_view text) const {
    if (on_terminal_ && !is_harmless(text)) return Style::double_quoted;
    const ScalarStyles styles = styles_of(text);
    if (text.find('\n') != std::string_view::npos) {
      return styles.literal && !in_simple_key_ ? Style::literal : Style::double_quoted;
    }
    if (reads_as_other_type(text) || (in_simple_key_ && styles.multiline)) return Style::double_quoted;
    if (styles.plain) return Style::plain;
    return styles.single_quoted ? Style::single_quoted : Style::double_quoted;
  }

  bool breaks_here(std::string_view text, std::size_t i) const {
    return column_ > kLineWidth && (i + 1 >= text.size() || text[i + 1] != ' ');
  }

  // Neither has line breaks but those of other alphabets, which single quotes hold.
  void write_plain(std::string_view text, bool may_break) {
    if (!after_blank_) put(' ');
    write_words(text, may_break, false);
    after_blank_ = false;
    only_indentation_ = false;
  }

  void write_single_quoted(std::string_view text, bool may_break) {
    put_indicator("'", true, false);
    write_words(text, may_break, true);
    put_indicator("'", false, false);
  }

  void write_words(std::string_view text, bool may_break, bool quoted) {
    bool spaces = false, breaks = false;
    for (std::size_t i = 0; i < text.size();) {
      const bool at_an_end = quoted && (i == 0 || i + 1 == text.size());
      if (text[i] == ' ') {
        if (may_break && !spaces && !at_an_end && breaks_here(text, i)) {
          begin_line();
          ++i;
        } else {
          put_character(text, i);
        }
        spaces = true;
      } else if (break_at(text, i) != 0) {
        put_character(text, i);
        column_ = 0;
        only_indentation_ = true;
        breaks = true;
      } else {
        if (breaks) begin_line();
        if (quoted && text[i] == '\'') put('\'');
        put_character(text, i);
        only_indentation_ = false;
        spaces = breaks = false;
      }
    }
  }

  void write_double_quoted(std::string_view text, bool may_break) {
    put_indicator("\"", true, false);
    bool spaces = false;
    for (std::size_t i = 0; i < text.size();) {
      if (!stays(text, i) || break_at(text, i) != 0 || text[i] == '"' || text[i] == '\\') {
        put_escaped(text, i);
        spaces = false;
      } else if (text[i] == ' ') {
        if (may_break && !spaces && column_ > kLineWidth && i > 0 && i + 1 < text.size()) {
          begin_line();
          if (text[i + 1] == ' ') put('\\');
          ++i;
        } else {
          put_character(text, i);
        }
        spaces = true;
      } else {
        put_character(text, i);
        spaces = false;
      }
    }
    put_indicator("\"", false, false);
  }

  bool stays(std::string_view text, std::size_t i) const {
    return is_printable(text, i) && (!on_terminal_ || is_harmless(text.substr(i, character_size(text[i]))));
  }

  void put_escaped(std::string_view text, std::size_t& i) {
    const std::size_t size = character_size(text[i]);
    std::uint32_t code = static_cast<unsigned char>(text[i]);
    if (size > 1) code &= 0xFFu >> (size + 1);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3Fu);
    }
    i += size;
    put('\\');
    static constexpr std::pair<std::uint32_t, char> kNamed[] = {
        {0x00, '0'}, {0x07, 'a'}, {0x08, 'b'},  {0x09, 't'}, {0x0A, 'n'}, {0x0B, 'v'},   {0x0C, 'f'},  {0x0D, 'r'},
        {0x1B, 'e'}, {0x22, '"'}, {0x5C, '\\'}, {0x85, 'N'}, {0xA0, '_'}, {0x2028, 'L'}, {0x2029, 'P'}};
    for (const auto& [known, letter] : kNamed) {
      if (known == code) return put(letter);
    }
    const int digits = code <= 0xFF ? 2 : code <= 0xFFFF ? 4 : 8;
    put(digits == 2 ? 'x' : digits == 4 ? 'u' : 'U');
    for (int k = (digits - 1) * 4; k >= 0; k -= 4) put("0123456789ABCDEF"[code >> k & 15]);
  }

  void write_literal(std::string_view text) {
    put_indicator("|", true, false);
    if (text.front() == ' ' || break_at(text, 0) != 0) put_indicator(std::to_string(kIndent), false, false);
    if (text.back() != '\n') {
      put_indicator("-", false, false);
    } else if (text.size() == 1 || text[text.size() - 2] == '\n') {
      put_indicator("+", false, false);
    }
    put_line_end();
    only_indentation_ = true;
    after_blank_ = true;
    bool breaks = true;
    for (std::size_t i = 0; i < text.size();) {
      if (break_at(text, i) != 0) {
        put_character(text, i);
        column_ = 0;
        only_indentation_ = true;
        breaks = true;
      } else {
        if (breaks) begin_line();
        put_character(text, i);
        only_indentation_ = false;
        breaks = false;
      }
    }
  }

  const bool on_terminal_;
  std::string out_;
  int column_ = 0;
  int indent_ = -1;
  bool after_blank_ = true;
  bool only_indentation_ = true;
  bool in_simple_key_ = false;
  bool in_mapping_ = false;
};

}  // namespace

std::string yaml_text(const json::value& value, bool on_terminal) {
  YamlWriter writer(on_terminal);
  writer.add(value);
  return writer.take();
}

}  // namespace ksr::commands

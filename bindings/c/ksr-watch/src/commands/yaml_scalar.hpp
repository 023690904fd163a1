// What YAML makes of text: whether a plain scalar would be read as text (go-yaml v2, resolve.go), which styles can hold
// it (its analysis of scalars, which is libyaml's), and in which order it writes keys (sorter.go). Used by yaml_text.
// Any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace ksr::commands {

// Without quotes it would be null, a boolean, a number or a time.
bool reads_as_other_type(std::string_view text);

struct ScalarStyles {
  bool multiline = false;
  bool plain = true;
  bool single_quoted = true;
  bool literal = true;
};
ScalarStyles styles_of(std::string_view text);

// At `i`: the length in bytes of the line break that begins there, 0 for anything else.
std::size_t break_at(std::string_view text, std::size_t i);
std::size_t character_size(char first);
bool is_printable(std::string_view text, std::size_t i);

// Numbers within keys count as numbers.
bool key_less(std::string_view a, std::string_view b);

}  // namespace ksr::commands

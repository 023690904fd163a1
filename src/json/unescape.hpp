// `unescape` decodes the text between the quotes of a JSON string, known to be valid; used in json. Any thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/escapes.hpp"

namespace ksr::json {

// Calls `put` with the decoded text, in pieces that end between characters, without allocating.
template <class Put>
void unescape_pieces(std::string_view raw, Put&& put) {
  while (!raw.empty()) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    if (plain > 0) put(raw.substr(0, plain));
    raw.remove_prefix(plain);
    if (raw.size() < 2) return;
    const Unescaped one = unescape_json(raw);
    put(std::string_view(one.bytes, one.size));
    raw.remove_prefix(std::min(one.raw_size, raw.size()));
  }
}

// Appends.
void unescape(std::string_view raw, std::string& out);

// Whether `raw` stands for `plain`.
bool stands_for(std::string_view raw, bool escaped, std::string_view plain);

// Appends `plain` (valid UTF-8) as a JSON string with its quotes.
void append_json_string(std::string_view plain, std::string& out);

}  // namespace ksr::json

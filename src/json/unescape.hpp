// `unescape` decodes the text between the quotes of a JSON string, known to be valid; used in json. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace ksr::json {

// Appends.
void unescape(std::string_view raw, std::string& out);

// Whether `raw` stands for `plain`.
bool stands_for(std::string_view raw, bool escaped, std::string_view plain);

// Appends `plain` (valid UTF-8) as a JSON string with its quotes.
void append_json_string(std::string_view plain, std::string& out);

}  // namespace ksr::json

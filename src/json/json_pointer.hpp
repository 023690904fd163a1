// `find_pointer` evaluates an RFC 6901 pointer on JSON text, without a DOM; used by ksr_object_get and WatchReader. Any
// thread.
#pragma once

#include <optional>
#include <string_view>

namespace ksr::json {

// The raw JSON text of what `pointer` names inside `document` (valid JSON); "" names the whole. Empty when it names
// nothing or is no pointer. "-" names nothing; array indexes have no leading zeros; ~0 and ~1 are understood; keys
// written with escapes in the document match. The last of two equal keys wins, as in most parsers.
std::optional<std::string_view> find_pointer(std::string_view document, std::string_view pointer);

}  // namespace ksr::json

// `compact_json` is JSON inside a message as a server writes it again (encoding/json, compact): without white space,
// with HTML escapes; used by ObjectDecoder. Any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ksr::protobuf {

// Appends to `to`, no more than is needed to tell that it is longer than `max_size`. Text that is not well-formed is
// mended (json_as_unicode). False when `text` is not one JSON value, or is nested deeper than `max_depth`.
bool compact_json(std::string_view text, std::size_t max_depth, std::size_t max_size, std::string& to);

}  // namespace ksr::protobuf

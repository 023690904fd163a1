// `compact_json` is JSON inside a message as a server writes it again (encoding/json, compact): without white space,
// with HTML escapes; used by ObjectDecoder. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ksr::protobuf {

// `none`: it is not one JSON value. `too_deep`: it is nested deeper than `max_depth`.
enum class RawJson : std::uint8_t { done, none, too_deep };

// Appends to `to`, no more than is needed to tell that it is longer than `max_size`; text that is no Unicode as
// json_as_unicode() has it.
RawJson compact_json(std::string_view text, std::size_t max_depth, std::size_t max_size, std::string& to);

}  // namespace ksr::protobuf

// What a JSON value says: the values that ksr_object_get_string and its like read, out of text that is known to be
// valid, without allocating but where it says so; used by abi/
// and where an answer of the API is read. Pure. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ksr::json {

// `value`: the raw text of one value, as find_pointer returns it. Empty: it is of another kind.

// The size of the decoded string in bytes. As much of it as fits goes to `to`, cut between characters, with a NUL
// behind it; nothing with `size` 0.
std::optional<std::size_t> copy_string(std::string_view value, char* to, std::size_t size) noexcept;
// The decoded string that `pointer` names in `document`; empty when there is none. Allocates.
std::string text_at(std::string_view document, std::string_view pointer);
// A number without a fraction that fits: 1e3 is one, -0 is 0, 1.5 and 9223372036854775808 are none.
std::optional<std::int64_t> integer_of(std::string_view value) noexcept;
// Any number that is not too large for a double; what is too small for one is 0.
std::optional<double> double_of(std::string_view value) noexcept;
std::optional<bool> boolean_of(std::string_view value) noexcept;
// An RFC 3339 time in a string: milliseconds since 1970, rounded down.
std::optional<std::int64_t> unix_milliseconds_of(std::string_view value) noexcept;
// The elements of an array, the members of an object.
std::optional<std::size_t> size_of(std::string_view value) noexcept;
// The name of member `i` of an object, in the order of the text: with its quotes, as it is written.
std::optional<std::string_view> key_of(std::string_view value, std::size_t i) noexcept;

}  // namespace ksr::json

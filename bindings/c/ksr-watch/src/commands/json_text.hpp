// Values of JSON: `parse_json` and `parse_answer` read, `value_at` and `text_at` find, `json_text` writes them as
// kubectl does. Used by all commands. Any thread.
#pragma once

#include <boost/json.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::commands {

// Empty: it is not JSON, or has a number that no double holds. Numbers are the nearest double, as in Go.
std::optional<boost::json::value> parse_json(std::string_view text);
// The same of what a server sent: as for kubectl, text that is no Unicode is U+FFFD (json_as_unicode). Files are
// refused then.
std::optional<boost::json::value> parse_answer(std::string_view text);
// Values one after the other, with white space in between. Empty: it is not JSON.
std::optional<std::vector<boost::json::value>> parse_json_sequence(std::string_view text);
// The number for which these took a text for no JSON, such as 1e400; empty: it was something else.
std::string number_out_of_range(std::string_view text);

// The member of members; NULL when there is none.
const boost::json::value* value_at(const boost::json::value& value, std::initializer_list<std::string_view> path);
// The string there; empty when there is none.
std::string text_at(const boost::json::value& value, std::initializer_list<std::string_view> path);
// A Kubernetes list: one whose items are null is empty.
bool is_list(const boost::json::value& value);
// The list there; an empty one when there is none.
const boost::json::array& array_at(const boost::json::value& value, std::initializer_list<std::string_view> path);

// Go's encoding/json, MarshalIndent with four blanks: names in order, HTML escaped, and a line end.
std::string json_text(const boost::json::value& value);
// The same without white space, for bodies: a whole number has no exponent, which some fields would refuse.
std::string json_body(const boost::json::value& value);

// A number as Go's encoding/json writes it, and as its strconv does with format 'g' (go-yaml, fmt).
std::string go_json_number(double number);
std::string go_number(double number);

}  // namespace ksr::commands

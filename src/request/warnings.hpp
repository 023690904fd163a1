// `parse_warnings` reads the Warning header (RFC 7234, section 5.5), with which an API server warns of deprecated APIs
// and unknown fields; used by Response. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ksr::request {

// The texts of code 299, unquoted, in order. `field`: one or more warnings with commas; what comes after a malformed
// one is not read.
std::vector<std::string> parse_warnings(std::string_view field);

}  // namespace ksr::request

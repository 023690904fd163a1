// `parse_warnings` and `warnings_of` read the Warning header (RFC 7234, section 5.5), with which an API server warns of
// deprecated APIs and unknown fields; used by request and channel. Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "transport/transport.hpp"

namespace ksr::cluster {

// The texts of code 299, unquoted, in order. `field`: one or more warnings with commas; what comes after a malformed
// one is not read.
std::vector<std::string> parse_warnings(std::string_view field);

std::vector<std::string> warnings_of(const transport::ResponseHead& head);

}  // namespace ksr::cluster

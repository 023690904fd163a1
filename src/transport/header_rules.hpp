// What may go into the head of a request: neither cpprestsdk nor websocketpp would stop a CR or LF.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

// A path with or without a query, percent-encoded (RFC 9112, section 3.2.1).
bool is_request_target(std::string_view text);
// A token of RFC 9110, section 5.6.2.
bool is_token(std::string_view text);
// The parts of "a, b", as they stand.
std::vector<std::string> list_parts(std::string_view text);
bool is_field_value(std::string_view text);
bool same_name(std::string_view a, std::string_view b);

// Names the header at fault, never its value.
std::optional<Error> check_request(const Request& request, bool websocket);

}  // namespace ksr::transport

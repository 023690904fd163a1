// The head of a response: its status line and its header lines.
#pragma once

#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

struct ParsedHead {
  ResponseHead head;
  bool http11 = false;
};

// `text` ends with the empty line. An error is Status::protocol without a step.
Expected<ParsedHead> parse_response_head(std::string_view text);

// The values of all headers of that (lower-case) name, joined with ", "; empty without one.
std::string joined_values(const ResponseHead& head, std::string_view name);
// Whether the comma-separated list has the (lower-case) token.
bool has_list_token(std::string_view list, std::string_view token);

}  // namespace ksr::transport

// What a response that is no success says, as an error. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "json/api_status.hpp"
#include "transport/transport.hpp"

namespace ksr::stream {

// Beyond this the body of a refusal is not read.
constexpr std::size_t kMaxRefusalBody = 64 * 1024;

struct Refusal {
  Error error;
  // The Status object, where the body was one.
  std::optional<json::ApiStatus> status;
};

// `now`: the wall clock, for a Retry-After that is a date.
Refusal read_refusal(const transport::ResponseHead& head, std::string_view body,
                     std::chrono::system_clock::time_point now);

// Retry-After (RFC 9110, 10.2.3): seconds or an IMF-fixdate; empty for anything else. Never below 0.
std::optional<Milliseconds> parse_retry_after(std::string_view text, std::chrono::system_clock::time_point now);

// Text of a server made fit for a message: one line, no control characters, at most `most` bytes, cut at a character.
std::string one_line(std::string_view text, std::size_t max_size);

}  // namespace ksr::stream

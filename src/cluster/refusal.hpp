// `read_refusal` makes an Error of an HTTP response that is not the success that was asked for; used by lists, watches,
// discovery, requests and channels. Pure, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "json/api_status.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// Of a refused list or watch, of whose body an error has the beginning at most; transport::kMaxRefusedCall is for
// others.
inline constexpr std::size_t kMaxRefusalBody = std::size_t{64} * 1024;

struct Refusal {
  Error error;
  // The Status object, where the body was one.
  std::optional<json::ApiStatus> status;
};

// The message repeats the server's own words: the message of a Status, or the beginning of a body of text.
// `now` is the wall clock, for a Retry-After that is a date.
Refusal read_refusal(const transport::ResponseHead& head, std::string_view body,
                     std::chrono::system_clock::time_point now);

// The same of any other call than a list or watch, whose errors have two more codes and the whole Status.
Refusal read_call_refusal(const transport::ResponseHead& head, std::string_view body,
                          std::chrono::system_clock::time_point now);

// Retry-After (RFC 9110, section 10.2.3): seconds or a date; empty for anything else. From 0 to
// json::kMaxRetryAfter.
std::optional<Milliseconds> parse_retry_after(std::string_view text, std::chrono::system_clock::time_point now);

}  // namespace ksr::cluster

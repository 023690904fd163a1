// `Error` says what failed, as a value; used by every module. Plain values; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "base/status.hpp"

namespace ksr {

struct Error {
  Status status = Status::internal;
  // One line, for people: what failed, where, what was expected. Never a secret.
  std::string message;
  // Status.reason of the Kubernetes API, such as "Expired"; empty without one.
  std::string reason = {};
  // 0 without a response; 408 when the server was silent too long, 502 when it could not be reached.
  int http_status = 0;
  // How long the server asks to wait before the next request (Retry-After, details.retryAfterSeconds).
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;

  // The same error with its context in front of the message: "list of pods: " + message.
  Error within(const std::string& context) const {
    Error outer = *this;
    outer.message = context + ": " + message;
    return outer;
  }
};

}  // namespace ksr

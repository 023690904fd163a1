// What went wrong, as a value.
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
  // How long the server asked to be left alone (Retry-After, details.retryAfterSeconds).
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  // A request that changes something was sent, in part at least, and no whole response came: it may have been carried
  // out, and is not to be repeated unseen.
  bool maybe_done = false;

  // The same error, with the context of the caller: "list of pods: " + message.
  Error within(const std::string& context) const {
    Error outer = *this;
    outer.message = context + ": " + message;
    return outer;
  }
};

}  // namespace ksr

// `Error` says what went wrong, as a value; used by every module, alone or in an Expected<T>. Any thread.
#pragma once

#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <utility>

#include "base/status.hpp"

namespace ksr {

// The request to an API server that an error belongs to.
struct ErrorContext {
  std::string operation;   // "list", "watch"
  std::string resource;    // "v1/pods"
  std::string name_space;  // empty: all, or the resource has none
  std::string server;

  // "list of v1/pods in namespace default at https://10.0.0.1:6443".
  std::string text() const {
    return operation + " of " + resource + (name_space.empty() ? "" : " in namespace " + name_space) + " at " + server;
  }
};

struct Error {
  Status status = Status::internal;
  // One line, for people: what failed, where, what was expected. Never a secret.
  std::string message;
  // Status.reason of the Kubernetes API, such as "Expired"; empty without one.
  std::string reason = {};
  // 0 without a response; 408 when the server was silent too long, 502 when it could not be reached.
  int http_status = 0;
  // The pause that the server asked for (Retry-After, details.retryAfterSeconds), at most ten minutes.
  std::optional<std::chrono::milliseconds> retry_after = std::nullopt;
  // Not part of `message`; text() puts both together.
  std::optional<ErrorContext> context = std::nullopt;
  // A request that changes something was sent, in part at least, and no whole response came: it may have been carried
  // out, and must not be repeated without the caller's knowledge.
  bool maybe_done = false;
  // The Status object of a refusal as the server sent it (JSON); empty without one, and for lists and watches.
  std::string details = {};

  // The same error with a prefix: "GET /api: " + message.
  Error within(const std::string& prefix) const {
    Error outer = *this;
    outer.message = prefix + ": " + message;
    return outer;
  }
  Error within(ErrorContext request) const {
    Error outer = *this;
    outer.context = std::move(request);
    return outer;
  }
  // What the host and the log get to read.
  std::string text() const { return context ? context->text() + ": " + message : message; }
};

// A copy for a caller that must be told what has failed; without memory for the texts without them.
inline Error copy_or_code(const Error& error) noexcept {
  try {
    return error;
  } catch (const std::bad_alloc&) {
    // Short enough for std::string to hold it in place.
    Error bare{error.status, "out of memory"};
    bare.http_status = error.http_status;
    bare.retry_after = error.retry_after;
    bare.maybe_done = error.maybe_done;
    return bare;
  }
}

}  // namespace ksr

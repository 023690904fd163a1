// `ApiStatus` is metav1.Status, with which an API server refuses a request or ends a watch; used by WatchReader and by
// the modules that read responses. Any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace ksr::json {

// The longest wait that a server is granted, however long it asks for: of streams, requests and channels alike.
inline constexpr std::chrono::seconds kMaxRetryAfter{10 * 60};

// All strings are one line each, of at most kMaxForeignText bytes (base/text.hpp): they are fit for messages.
struct StatusCause {
  std::string reason;
  std::string message;
  std::string field;
};

struct ApiStatus {
  // 0 when the server sent none (the cacher's own ERROR events).
  int code = 0;
  std::string reason;
  std::string message;
  // details.name: the object that the refusal is about; empty when it is about none.
  std::string object_name;
  // At most kMaxRetryAfter.
  std::optional<int> retry_after_seconds;
  std::vector<StatusCause> causes;
};

// Empty when the text is not a Status object (text/plain bodies are common: 404 page not found, 429 from P&F). One
// without a kind, as the 504 of a timeout is sent (apiserver pkg/server/filters/timeout.go), says Failure at least.
std::optional<ApiStatus> parse_api_status(std::string_view text);

}  // namespace ksr::json

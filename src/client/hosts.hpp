// `ClientHost` and `RequestHost` are the host's callbacks as src/client sees them; implemented by abi/ with C function
// pointers. Live where callbacks run: one thread at a time for all of a client.
#pragma once

#include <string>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "request/response.hpp"

namespace ksr::client {

// Destroying it runs the host's destroy callback.
class ClientHost {
 public:
  virtual ~ClientHost() = default;
  virtual bool wants_log() const noexcept = 0;
  virtual void on_log(LogLevel level, const std::string& line) = 0;
};

// Destroying it runs the host's destroy callback.
class RequestHost {
 public:
  virtual ~RequestHost() = default;
  // Whether there is any callback to make, on_response or destroy.
  virtual bool wants_callbacks() const noexcept = 0;
  virtual void on_response(const Expected<request::ResponseRef>& outcome) = 0;
};

}  // namespace ksr::client

// `ClientHost`, `RequestHost` and `DataHost` are the host's callbacks as src/client sees them; implemented by abi/ with
// C function pointers. Live where callbacks run: one thread at a time for all of a client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "delivery/host.hpp"
#include "request/response.hpp"

namespace ksr::client {

// Destroying it runs the host's destroy callback, if call_destroy() has not.
class ClientHost {
 public:
  virtual ~ClientHost() = default;
  // Whether it has the callback.
  virtual bool wants_log() const noexcept = 0;
  virtual bool wants_destroy() const noexcept = 0;
  virtual void on_log(LogLevel level, const std::string& line) = 0;
  // As delivery::Host.
  virtual void call_destroy() {}
};

// Destroying it runs the host's destroy callback, if call_destroy() has not.
class RequestHost {
 public:
  virtual ~RequestHost() = default;
  // Whether it has the callback.
  virtual bool wants_response() const noexcept = 0;
  virtual bool wants_destroy() const noexcept = 0;
  virtual void on_response(const Expected<request::ResponseRef>& outcome) = 0;
  // As delivery::Host.
  virtual void call_destroy() {}
};

// The numbers of ksr.h, KSR_EVENT_*.
enum class ChannelEvent : std::int32_t {
  connecting = 1,
  open = 2,
  readable = 3,
  writable = 4,
  finished = 5,
  gap = 6,
  restarted = 7,
  interrupted = 8,
  closed = 9,
};

// Of a channel. Destroying it runs the host's destroy callback, if call_destroy() has not.
class DataHost {
 public:
  virtual ~DataHost() = default;
  // Whether it has the callback.
  virtual bool wants_data() const noexcept = 0;
  virtual bool wants_events() const noexcept = 0;
  virtual bool wants_destroy() const noexcept = 0;
  // How much was taken.
  virtual std::size_t on_data(int part, std::string_view bytes) = 0;
  virtual void on_event(ChannelEvent event, int part, std::optional<delivery::ErrorReport> report) = 0;
  // As delivery::Host.
  virtual void call_destroy() {}
};

}  // namespace ksr::client

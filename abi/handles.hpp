// The types that the opaque pointers of ksr.h point to, and the conversions between both; used by abi/ only. Any
// thread.
#pragma once

#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/handle_registry.hpp"
#include "delivery/host.hpp"
#include "delivery/snapshot.hpp"
#include "ksr.h"
#include "request/params.hpp"
#include "request/response.hpp"
#include "store/object.hpp"
#include "stream/config.hpp"
#include "stream/stream_registry.hpp"

struct ksr_error {
  explicit ksr_error(ksr::delivery::ErrorReport from) : report(std::move(from)) {
    try {
      message = report.error.text();
    } catch (const std::bad_alloc&) {
      // The host gets the error all the same, without the request that it belongs to.
      message = std::move(report.error.message);
    }
  }

  ksr::delivery::ErrorReport report;
  std::string message;  // kept, since ksr_error_message returns a pointer
};

namespace ksr::abi {

struct Callbacks {
  ksr_update_fn on_update = nullptr;
  ksr_error_fn on_error = nullptr;
  ksr_state_fn on_state = nullptr;
  ksr_log_fn on_log = nullptr;
};

}  // namespace ksr::abi

struct ksr_config {
  ksr::stream::Config config;
  ksr::abi::Callbacks callbacks;
};

struct ksr_params {
  ksr::request::Params params;
  ksr_response_fn on_response = nullptr;
  ksr_data_fn on_data = nullptr;
  ksr_event_fn on_event = nullptr;
};

namespace ksr::abi {

// Snapshots and objects carry their own count and are given to the host as they are: no wrapper, no allocation.
inline const ksr_snapshot* handle(const delivery::Snapshot* snapshot) noexcept {
  return reinterpret_cast<const ksr_snapshot*>(snapshot);
}
inline const delivery::Snapshot* snapshot_of(const ksr_snapshot* handle) noexcept {
  return reinterpret_cast<const delivery::Snapshot*>(handle);
}
inline const ksr_object* handle(const store::Object* object) noexcept {
  return reinterpret_cast<const ksr_object*>(object);
}
inline const store::Object* object_of(const ksr_object* handle) noexcept {
  return reinterpret_cast<const store::Object*>(handle);
}

inline const ksr_response* handle(const request::Response* response) noexcept {
  return reinterpret_cast<const ksr_response*>(response);
}
inline const request::Response* response_of(const ksr_response* handle) noexcept {
  return reinterpret_cast<const request::Response*>(handle);
}

// The pointers of clients, requests and channels are numbers of their registries, as those of streams are.
inline ksr_client* client_handle(Handle number) noexcept {
  return reinterpret_cast<ksr_client*>(number);  // NOLINT(performance-no-int-to-ptr): never followed
}
inline Handle number_of(const ksr_client* handle) noexcept {
  return reinterpret_cast<Handle>(handle);
}
inline ksr_request* request_handle(Handle number) noexcept {
  return reinterpret_cast<ksr_request*>(number);  // NOLINT(performance-no-int-to-ptr): never followed
}
inline Handle number_of(const ksr_request* handle) noexcept {
  return reinterpret_cast<Handle>(handle);
}

inline ksr_channel* channel_handle(Handle number) noexcept {
  return reinterpret_cast<ksr_channel*>(number);  // NOLINT(performance-no-int-to-ptr): never followed
}
inline Handle number_of(const ksr_channel* handle) noexcept {
  return reinterpret_cast<Handle>(handle);
}

// A stream's pointer is a number of the registry and is never followed.
inline ksr_stream* stream_handle(stream::StreamRegistry::Handle number) noexcept {
  return reinterpret_cast<ksr_stream*>(number);  // NOLINT(performance-no-int-to-ptr): never followed
}
inline stream::StreamRegistry::Handle number_of(const ksr_stream* handle) noexcept {
  return reinterpret_cast<stream::StreamRegistry::Handle>(handle);
}

// A string to the host: returns the pointer, and its length through `len`.
inline const char* text_out(std::string_view text, size_t* len) noexcept {
  if (len != nullptr) *len = text.size();
  return text.data();
}

// There is no string: NULL, and the length 0.
inline const char* nothing(size_t* len) noexcept {
  if (len != nullptr) *len = 0;
  return nullptr;
}

}  // namespace ksr::abi

// `Response` is the answer to a request: status, headers, warnings and body; made by ApiCall, handed to the host as
// ksr_response. Immutable and counted, outlives the request and its client. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/object.hpp"
#include "transport/transport.hpp"

namespace ksr::request {

// What the server warns of.
std::vector<std::string> warnings_in_utf8(const transport::ResponseHead& head);

class Response {
 public:
  Response(const transport::ResponseHead& head, std::vector<std::string> warnings, std::string body);
  Response(const Response&) = delete;
  Response& operator=(const Response&) = delete;

  int http_status() const noexcept { return http_status_; }
  // The values of that header joined with ", ", NUL-terminated; NULL when there is none. Any case.
  const std::string* header(std::string_view name) const noexcept;
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }
  const std::string& body() const noexcept { return body_; }
  // The body as an object, made at the first call; NULL when it is no JSON object. Throws std::bad_alloc.
  const store::Object* object() const;

  void retain() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  ~Response();

  const int http_status_;
  // One for each name, in lower case.
  std::vector<transport::Header> headers_;
  std::vector<std::string> warnings_;
  const std::string body_;
  // With one reference; NULL until it is asked for.
  mutable std::atomic<const store::Object*> object_{nullptr};
  mutable std::atomic<std::size_t> references_{1};
};

// One reference to a response; empty by default.
class ResponseRef {
 public:
  ResponseRef() = default;
  // Takes over the reference that the caller owns.
  explicit ResponseRef(const Response* owned) noexcept : response_(owned) {}
  ResponseRef(const ResponseRef& other) noexcept : response_(other.response_) {
    if (response_ != nullptr) response_->retain();
  }
  ResponseRef(ResponseRef&& other) noexcept : response_(std::exchange(other.response_, nullptr)) {}
  ResponseRef& operator=(ResponseRef other) noexcept {
    std::swap(response_, other.response_);
    return *this;
  }
  ~ResponseRef() {
    if (response_ != nullptr) response_->release();
  }

  const Response* get() const noexcept { return response_; }
  const Response* operator->() const noexcept { return response_; }
  // The caller gets the reference.
  const Response* detach() noexcept { return std::exchange(response_, nullptr); }

 private:
  const Response* response_ = nullptr;
};

}  // namespace ksr::request

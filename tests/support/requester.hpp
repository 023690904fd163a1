// `Requester` is a host in C++ that makes requests through ksr.h, and `Answer` what came of one; used by the tests of
// clients through the C ABI. Lives on the test's thread.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "ksr.h"
#include "support/recorder.hpp"

namespace ksr::testing {

struct Answer {
  ksr_status status = 0;
  int http_status = 0;
  std::string body;
  std::vector<std::string> warnings;
  // Of an error.
  std::string message;
  std::string reason;
  std::string details;
  int maybe_done = 0;
};

// Takes over the reference, and the error.
Answer answer_of(ksr_status status, const ksr_response* response, ksr_error* error);
Answer answer_of(const ksr_response* response, const ksr_error* error);

// ksr_params with those keys; checks that each is taken.
class Params {
 public:
  explicit Params(const Settings& settings, const std::string& body = "");
  ~Params() { ksr_params_free(params_); }
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;
  ksr_params* get() const noexcept { return params_; }

 private:
  ksr_params* params_ = nullptr;
};

class Requester {
 public:
  // Opens the client; `settings` are config keys.
  explicit Requester(const Settings& settings);
  ~Requester();
  Requester(const Requester&) = delete;
  Requester& operator=(const Requester&) = delete;

  ksr_client* client() const noexcept { return client_; }
  Answer call(const Settings& params, const std::string& body = "") const;
  std::uint64_t stat(const char* name) const;

 private:
  ksr_client* client_ = nullptr;
};

// Dispatches the client's callbacks until the condition holds; false after kWaitLimit.
bool dispatch_until(ksr_client* client, const std::function<bool()>& condition);

}  // namespace ksr::testing

// `HarnessError` is thrown by the harness when it cannot do its work: the test fails and doctest prints the reason.
// Thrown on the calling thread.
#pragma once

#include <stdexcept>
#include <string>

namespace ksr::clustertest {

class HarnessError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The apiserver answered with a status other than 2xx.
class ApiRefused : public HarnessError {
 public:
  ApiRefused(int http_status, std::string status_reason, const std::string& message)
      : HarnessError(message), status_(http_status), reason_(std::move(status_reason)) {}

  int status() const noexcept { return status_; }
  // Status.reason, such as "Forbidden".
  const std::string& reason() const noexcept { return reason_; }

 private:
  int status_;
  std::string reason_;
};

}  // namespace ksr::clustertest

// `Client` is an open ksr_client, `Request` what to ask of it, `Answer` what came of it: the library as the commands
// use it. Main thread.
#pragma once

#include <ksr.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "commands/arguments.hpp"
#include "commands/report.hpp"

namespace ksr::commands {

// What the library says of an error, which stays the library's.
Failure failure_of(ksr_status status, const ksr_error* error);

struct Request {
  // Of ksr_params, in order; what is empty is not set.
  std::vector<std::pair<std::string, std::string>> keys;
  std::string body;
};

class Answer {
 public:
  explicit Answer(const ksr_response* response) : response_(response, ksr_response_release) {}
  explicit Answer(Failure failure) : failure_(std::move(failure)) {}

  bool failed() const noexcept { return failure_.has_value(); }
  const Failure& failure() const { return *failure_; }
  std::string_view body() const;

 private:
  std::shared_ptr<const ksr_response> response_;
  std::optional<Failure> failure_;
};

class Client {
 public:
  // The error is one line.
  static Expected<Client> open(const Arguments& arguments, Report& report);

  // Warnings of the server are reported at once.
  Answer call(const Request& request);
  // For streams and channels over it. Of the commands that open channels, callbacks run in ksr_client_dispatch().
  ksr_client* handle() noexcept { return client_.get(); }

 private:
  struct Close {
    void operator()(ksr_client* client) const { ksr_client_close(client); }
  };

  explicit Client(Report& report) : report_(&report) {}
  Answer call_once(const Request& request, const char* retries);

  Report* report_;
  std::unique_ptr<ksr_client, Close> client_;
  std::string timeout_;
  bool is_first_ = true;
};

}  // namespace ksr::commands

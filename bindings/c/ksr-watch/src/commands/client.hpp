// `Client` is an open ksr_client, `Request` what to ask of it, `Answer` what came of it: the library as the commands
// use it. Main thread.
#pragma once

#include <ksr.h>

#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/instant.hpp"
#include "commands/arguments.hpp"
#include "commands/report.hpp"

namespace ksr::commands {

// What the library says of an error, which stays the library's.
Failure failure_of(ksr_status status, const ksr_error* error);

struct Request {
  // Of ksr_params, in order; what is empty is not set.
  std::vector<std::pair<std::string, std::string>> keys;
  std::string body;
  // Its warnings are those of what follows it.
  bool only_tries = false;
};

// The command waits for the bytes of channels: callbacks then run in ksr_client_dispatch().
bool opens_channels(const Arguments& arguments);

// Of ksr_params: for all requests that a command sends.
bool is_of_every_request(std::string_view key);

// Its own requests write, by their verb or method, if only a review; those that read prepare them.
bool has_write_requests(Command command);

class Answer {
 public:
  explicit Answer(const ksr_response* response) : response_(response, ksr_response_release) {}
  explicit Answer(boost::json::value object) : object_(std::move(object)) {}
  explicit Answer(Failure failure) : failure_(std::move(failure)) {}

  bool failed() const noexcept { return failure_.has_value(); }
  const Failure& failure() const { return *failure_; }
  // Of Client::call.
  std::string_view body() const;
  // Of Client::call_for_object.
  boost::json::value& object() { return object_; }
  const boost::json::value& object() const { return object_; }

 private:
  std::shared_ptr<const ksr_response> response_;
  boost::json::value object_;
  std::optional<Failure> failure_;
};

class Client {
 public:
  using Clock = std::chrono::steady_clock;

  // The error is one line.
  static Expected<Client> open(const Arguments& arguments, Report& report);

  // Warnings of the server are reported at once.
  Answer call(const Request& request);
  // The same where the answer has to be an object: anything else is a failure, and so is a Status that is one.
  Answer call_for_object(Request request);
  // What is asked from now on has an answer, or has failed, by then; empty: the limits of each request alone.
  void set_deadline(std::optional<Clock::time_point> deadline) noexcept { deadline_ = deadline; }
  bool is_late() const noexcept { return deadline_ && Clock::now() >= *deadline_; }
  // --request-timeout; empty without it, 0: none.
  std::optional<Milliseconds> timeout() const noexcept { return timeout_; }
  // For streams and channels over it.
  ksr_client* handle() noexcept { return client_.get(); }
  // What --set has for the channels that the command opens.
  const std::vector<std::pair<std::string, std::string>>& channel_keys() const noexcept { return channel_keys_; }
  // What it has for requests. Those with a verb have it already.
  const std::vector<std::pair<std::string, std::string>>& request_keys() const noexcept { return request_keys_; }

 private:
  struct Close {
    void operator()(ksr_client* client) const { ksr_client_close(client); }
  };

  explicit Client(const Arguments& arguments, Report& report)
      : report_(&report), has_write_requests_(has_write_requests(arguments.command)) {}
  Expected<void> set(ksr_config* config, const Setting& setting, const Arguments& arguments);
  Expected<void> set_params_key(const Setting& setting, const Arguments& arguments);
  bool goes_with(const std::string& key, const Request& request) const;
  Answer call_once(const Request& request, const char* retries);

  Report* report_;
  std::unique_ptr<ksr_client, Close> client_;
  std::optional<Milliseconds> timeout_;
  std::optional<Clock::time_point> deadline_;
  // Of --set.
  std::vector<std::pair<std::string, std::string>> request_keys_;
  std::vector<std::pair<std::string, std::string>> channel_keys_;
  bool has_write_requests_;
  bool is_first_ = true;
};

}  // namespace ksr::commands

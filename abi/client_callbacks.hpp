// `ClientCallbacks` and `RequestCallbacks` are the hosts that src/client calls, over the host's C functions; used by
// ksr_client_open and ksr_request_open. Their destructors run the host's destroy callbacks. Live where callbacks run.
#pragma once

#include <string>

#include "abi/host_callbacks.hpp"
#include "client/hosts.hpp"

namespace ksr::abi {

class ClientCallbacks final : public client::ClientHost {
 public:
  ClientCallbacks(ksr_log_fn log_fn, void* user_data, ksr_destroy_fn destroy)
      : on_log_(log_fn), user_data_(user_data), destroy_(destroy) {}
  ~ClientCallbacks() override { DestroyOnce(user_data_, destroy_); }

  bool wants_log() const noexcept override { return on_log_ != nullptr; }
  void on_log(LogLevel level, const std::string& line) override {
    const CallbackMark::Scope inside(mark_);
    on_log_(code(level), line.c_str(), line.size(), user_data_);
  }

 private:
  const ksr_log_fn on_log_;
  void* const user_data_;
  const ksr_destroy_fn destroy_;
  CallbackMark mark_;
};

class RequestCallbacks final : public client::RequestHost {
 public:
  RequestCallbacks(ksr_response_fn response_fn, ksr_request* request, void* user_data, ksr_destroy_fn destroy)
      : on_response_(response_fn), request_(request), user_data_(user_data), destroy_(destroy) {}
  ~RequestCallbacks() override { DestroyOnce(user_data_, destroy_); }

  bool wants_callbacks() const noexcept override { return on_response_ != nullptr || destroy_ != nullptr; }
  void on_response(const Expected<request::ResponseRef>& outcome) override {
    if (on_response_ == nullptr) return;
    if (outcome) {
      const CallbackMark::Scope inside(mark_);
      return on_response_(request_, handle(outcome->get()), nullptr, user_data_);
    }
    const ksr_error error({outcome.error(), std::nullopt});
    const CallbackMark::Scope inside(mark_);
    on_response_(request_, nullptr, &error, user_data_);
  }

 private:
  const ksr_response_fn on_response_;
  ksr_request* const request_;
  void* const user_data_;
  const ksr_destroy_fn destroy_;
  CallbackMark mark_;
};

}  // namespace ksr::abi

// `ClientCallbacks`, `RequestCallbacks` and `ChannelCallbacks` are the hosts that src/client calls, over the host's C
// functions; used by ksr_client_open, ksr_request_open and ksr_channel_open. Their destructors run the host's destroy
// callbacks if call_destroy() has not. Live where callbacks run.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "abi/host_callbacks.hpp"
#include "client/hosts.hpp"

namespace ksr::abi {

class ClientCallbacks final : public client::ClientHost {
 public:
  ClientCallbacks(ksr_log_fn log_fn, void* user_data, ksr_destroy_fn destroy)
      : on_log_(log_fn), user_data_(user_data), destroy_(destroy) {}
  ~ClientCallbacks() override { ClientCallbacks::call_destroy(); }

  bool wants_log() const noexcept override { return on_log_ != nullptr; }
  bool wants_destroy() const noexcept override { return destroy_ != nullptr; }
  void on_log(LogLevel level, const std::string& line) override {
    const CallbackMark::Scope inside(mark_);
    on_log_(code(level), line.c_str(), line.size(), user_data_);
  }
  void call_destroy() override { DestroyOnce(user_data_, std::exchange(destroy_, nullptr)); }

 private:
  const ksr_log_fn on_log_;
  void* const user_data_;
  ksr_destroy_fn destroy_;
  CallbackMark mark_;
};

class RequestCallbacks final : public client::RequestHost {
 public:
  RequestCallbacks(ksr_response_fn response_fn, ksr_request* request, void* user_data, ksr_destroy_fn destroy)
      : on_response_(response_fn), request_(request), user_data_(user_data), destroy_(destroy) {}
  ~RequestCallbacks() override { RequestCallbacks::call_destroy(); }

  bool wants_response() const noexcept override { return on_response_ != nullptr; }
  bool wants_destroy() const noexcept override { return destroy_ != nullptr; }
  void on_response(const Expected<request::ResponseRef>& outcome) override {
    if (on_response_ == nullptr) return;
    if (outcome) {
      const CallbackMark::Scope inside(mark_);
      return on_response_(request_, handle(outcome->get()), nullptr, user_data_);
    }
    const ksr_error error({copy_or_code(outcome.error()), std::nullopt});
    const CallbackMark::Scope inside(mark_);
    on_response_(request_, nullptr, &error, user_data_);
  }
  void call_destroy() override { DestroyOnce(user_data_, std::exchange(destroy_, nullptr)); }

 private:
  const ksr_response_fn on_response_;
  ksr_request* const request_;
  void* const user_data_;
  ksr_destroy_fn destroy_;
  CallbackMark mark_;
};

class ChannelCallbacks final : public client::DataHost {
 public:
  ChannelCallbacks(const ksr_params& params, ksr_channel* channel, void* user_data, ksr_destroy_fn destroy)
      : on_data_(params.on_data),
        on_event_(params.on_event),
        channel_(channel),
        user_data_(user_data),
        destroy_(destroy) {}
  ~ChannelCallbacks() override { ChannelCallbacks::call_destroy(); }

  bool wants_data() const noexcept override { return on_data_ != nullptr; }
  bool wants_events() const noexcept override { return on_event_ != nullptr; }
  bool wants_destroy() const noexcept override { return destroy_ != nullptr; }
  std::size_t on_data(int part, std::string_view bytes) override {
    const CallbackMark::Scope inside(mark_);
    return on_data_(channel_, part, bytes.data(), bytes.size(), user_data_);
  }
  void on_event(client::ChannelEvent event, int part, std::optional<delivery::ErrorReport> report) override {
    if (on_event_ == nullptr) return;
    const auto number = static_cast<std::int32_t>(event);
    if (!report) {
      const CallbackMark::Scope inside(mark_);
      return on_event_(channel_, number, part, nullptr, user_data_);
    }
    const ksr_error error(*std::move(report));
    const CallbackMark::Scope inside(mark_);
    on_event_(channel_, number, part, &error, user_data_);
  }
  void call_destroy() override { DestroyOnce(user_data_, std::exchange(destroy_, nullptr)); }

 private:
  const ksr_data_fn on_data_;
  const ksr_event_fn on_event_;
  ksr_channel* const channel_;
  void* const user_data_;
  ksr_destroy_fn destroy_;
  CallbackMark mark_;
};

}  // namespace ksr::abi

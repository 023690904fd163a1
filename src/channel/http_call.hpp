// `HttpCall` is the body of any HTTP response as it comes: kind=http; used by make_channel_call. Lives on the network
// thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "channel/channel_call.hpp"
#include "sync/call_retries.hpp"
#include "transport/transport.hpp"

namespace ksr::channel {

class HttpCall final : public ChannelCall, private transport::ExchangeObserver {
 public:
  HttpCall(Environment environment, ChannelOptions options, ChannelTarget target)
      : ChannelCall(std::move(environment), std::move(options), std::move(target)),
        policy_(options_.retries, transport::is_safe_method(target_.method)) {}

 private:
  void begin() override;
  void stop() override;
  void on_head(const transport::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_drained() override {
    guarded([this] { drained(); });
  }
  void on_end(const std::optional<Error>& error) override;
  void send(Expected<cluster::RequestAuth> auth);
  // The response has ended: in order, or with `error`.
  void judge(const std::optional<Error>& error);
  // Before the body has begun.
  void failed(sync::CallFailure failure);
  void begin_after(Milliseconds delay);
  void end_try();
  void count_body();

  std::unique_ptr<Timer> retry_timer_;
  std::unique_ptr<Timer> refusal_timer_;
  transport::ResponseHead head_;
  std::string refusal_;
  bool renewed_ = false;
  sync::RetryPolicy policy_;
};

}  // namespace ksr::channel

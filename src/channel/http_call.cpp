#include "channel/http_call.hpp"

#include <utility>

#include "base/text.hpp"
#include "cluster/refusal.hpp"
#include "cluster/warnings.hpp"

namespace ksr::channel {
namespace {

// Of one text; they may name many fields.
constexpr std::size_t kMaxWarning = 4'000;

}  // namespace

void HttpCall::begin() {
  head_ = {};
  refusal_.clear();
  if (const auto to = host()) to->on_connecting();
  if (ended()) return;
  pending_ = environment_.access->authenticate(cluster::Purpose::request, [this](Expected<cluster::RequestAuth> auth) {
    guarded([&] { send(std::move(auth)); });
  });
}

void HttpCall::send(Expected<cluster::RequestAuth> auth) {
  if (const Error* error = auth.if_error()) {
    sync::CallFailure failure{*error};
    failure.before_request = true;
    return failed(std::move(failure));
  }
  transport::Request request;
  request.method = target_.method;
  request.target = target_.target;
  if (target_.below_headlamp_url) {
    if (const auto sent = cluster::send_to_headlamp(request, *auth); !sent) return fail(sent.error());
  }
  request.headers = target_.headers;
  cluster::add_headers(request, *auth);
  request.body = target_.body;
  request.response_timeout = options_.head_timeout;
  maybe_done_.begin_try();
  exchange_ = auth->connection->send(std::move(request), *this);
}

void HttpCall::on_head(const transport::ResponseHead& head) {
  guarded([&] {
    count_body();
    head_ = head;
    environment_.access->on_response_head(head);
    tell_info("http_status", std::to_string(head.status));
    std::string warnings;
    for (const std::string& one : cluster::warnings_of(head)) {
      warnings += (warnings.empty() ? "" : "\n") + one_line(one, kMaxWarning);
    }
    tell_info("warnings", warnings);
    if (!transport::is_2xx(head.status)) {
      refusal_timer_ = after(transport::kMaxRefusalTime, [this] { judge(std::nullopt); });
      return;
    }
    maybe_done_.set();
    if (const auto to = host()) to->on_open();
  });
}

void HttpCall::on_body(std::string_view bytes) {
  guarded([&] {
    if (transport::is_2xx(head_.status)) return give(kPartStdout, bytes);
    refusal_ += bytes.substr(0, transport::kMaxRefusedCall - refusal_.size());
    if (refusal_.size() == transport::kMaxRefusedCall) judge(std::nullopt);
  });
}

void HttpCall::on_end(const std::optional<Error>& error) {
  guarded([&] { judge(error); });
}

void HttpCall::judge(const std::optional<Error>& error) {
  const auto fired = std::move(refusal_timer_);
  if (head_.status != 0 && !transport::is_2xx(head_.status)) {
    cluster::Refusal refusal = cluster::read_call_refusal(head_, refusal_, std::chrono::system_clock::now());
    sync::CallFailure failure{std::move(refusal.error)};
    failure.answered = true;
    failure.status = std::move(refusal.status);
    return failed(std::move(failure));
  }
  if (transport::is_2xx(head_.status) && !error) mark(kPartStdout, Mark::finished);
  if (head_.status == 0) {
    return failed({error.value_or(Error{Status::protocol, "the connection ended before a response came", "", 502})});
  }
  end({error, std::nullopt});
}

void HttpCall::failed(sync::CallFailure failure) {
  using What = sync::RetryDecision::What;
  maybe_done_.end_try(failure);
  const sync::RetryDecision decision = policy_.decide(failure, now(), std::nullopt, *environment_.random);
  // With retries=never, too, which is what a channel has unless its host asks for more.
  if (failure.answered && head_.status == 401 && !std::exchange(renewed_, true)) {
    environment_.access->reject_credentials();
    return begin_after(Milliseconds(0));
  }
  if (decision.what != What::retry) {
    maybe_done_.tell(failure.error);
    return fail(std::move(failure.error));
  }
  environment_.counts->reconnects.fetch_add(1, std::memory_order_relaxed);
  interrupted(failure.error, decision.delay);
  if (!ended()) begin_after(decision.delay);
}

// Also without a delay: the exchange is on the stack, and may not have ended.
void HttpCall::begin_after(Milliseconds delay) {
  end_try();
  // Of the answer that is waited for now nothing is known.
  tell_info("http_status", "");
  tell_info("warnings", "");
  retry_timer_ = after(delay, [this] {
    const auto fired = std::move(retry_timer_);
    begin();
  });
}

void HttpCall::stop() {
  pending_.cancel();
  retry_timer_.reset();
  end_try();
}

void HttpCall::end_try() {
  if (head_.status == 0) count_body();
  refusal_timer_.reset();
  exchange_.reset();
}

// With the answer, or where the try ends without one: before, it may not have been sent.
void HttpCall::count_body() {
  if (!exchange_ || !exchange_->is_sent()) return;
  environment_.counts->bytes_sent.fetch_add(target_.body.size(), std::memory_order_relaxed);
}

}  // namespace ksr::channel

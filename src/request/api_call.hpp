// `ApiCall` carries out one request: names resolved, credentials, tries and retries, its answer; used by
// client::Client. Lives on the network thread, except its construction.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/random.hpp"
#include "cluster/access.hpp"
#include "request/call_plan.hpp"
#include "request/params.hpp"
#include "request/response.hpp"
#include "sync/call_retries.hpp"
#include "transport/transport.hpp"

namespace ksr::request {

// Written on the network thread, read on any.
struct CallCounts {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> retries{0};
  std::atomic<std::uint64_t> errors{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> bytes_sent{0};
};

class ApiCall final : public std::enable_shared_from_this<ApiCall>, private transport::ExchangeObserver {
 public:
  struct Environment {
    Executor& executor;
    std::shared_ptr<Random> random;
    std::shared_ptr<cluster::Access> access;
    std::shared_ptr<CallCounts> counts;
  };
  // Called once, unless cancel() comes first.
  using Done = std::function<void(Expected<ResponseRef>)>;

  // `params` has passed check_params; `name_space` is what its namespace stands for.
  ApiCall(Environment environment, Params params, std::string name_space, Done done);
  ~ApiCall() override;
  ApiCall(const ApiCall&) = delete;
  ApiCall& operator=(const ApiCall&) = delete;

  void start();
  // Nothing is sent or reported afterwards.
  void cancel();
  // Whether something that changes the server has been sent without a definite answer. Any thread.
  bool maybe_done() const noexcept { return maybe_done_.get(); }

 private:
  void on_head(const transport::ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_end(const std::optional<Error>& error) override;

  // Runs `step`; an exception of it ends the call.
  template <class Step>
  void guarded(Step&& step);
  void find_resources();
  cluster::QueryOptions names() const;
  // The server knows none of what the names stood for, as `failure` says.
  void find_resources_again(Error unknown);
  void try_candidate();
  void try_once();
  void send(Expected<cluster::RequestAuth> auth);
  // The try has ended: in order, or with `error`.
  void judge(const std::optional<Error>& error);
  void on_failure(sync::CallFailure failure);
  void wait(Milliseconds delay);
  void on_deadline();
  const cluster::Resource* resource() const;
  std::string name_space() const;
  bool is_sent() const noexcept { return exchange_ && exchange_->is_sent(); }
  void end_try();
  void fail(Error error);
  void finish(Expected<ResponseRef> outcome);

  const Environment environment_;
  const Params params_;
  const std::string name_space_;
  Done done_;
  std::optional<Instant> deadline_;
  std::unique_ptr<Timer> deadline_timer_;
  std::unique_ptr<Timer> wait_timer_;
  PendingCall pending_;
  std::vector<cluster::Resource> resources_;
  std::size_t candidate_ = 0;
  // What the server said when it did not know what the names stand for; they are looked up again once.
  std::optional<Error> unknown_;
  bool resolves_again_ = false;
  CallPlan plan_;
  sync::RetryPolicy policy_;
  sync::MaybeDone maybe_done_;
  std::shared_ptr<transport::Connection> connection_;
  std::unique_ptr<transport::Exchange> exchange_;
  transport::ResponseHead head_;
  std::string body_;
  bool ended_ = false;
};

}  // namespace ksr::request

// `RequestHandle` is one request as the host has it: its outcome, who waits for it, its callbacks; used by Client and
// abi/. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/handle_registry.hpp"
#include "base/instant.hpp"
#include "base/mutex.hpp"
#include "client/hosts.hpp"
#include "delivery/callback_runner.hpp"
#include "request/api_call.hpp"

namespace ksr::client {

class RequestHandle final : public delivery::CallbackSource, public std::enable_shared_from_this<RequestHandle> {
 public:
  using Outcome = Expected<request::ResponseRef>;
  // Of the client that it belongs to. `forget` is called once after close_async(), when the last callback is over, with
  // no lock held.
  struct Owner {
    Executor& executor;
    std::shared_ptr<delivery::CallbackRunner> runner;
    std::function<void(RequestHandle&)> forget;
  };

  // `host`: NULL for a call that only waits. `number`: 0 without a handle of the host's.
  RequestHandle(Owner owner, Handle number, std::unique_ptr<RequestHost> host);
  ~RequestHandle() override;
  RequestHandle(const RequestHandle&) = delete;
  RequestHandle& operator=(const RequestHandle&) = delete;

  // Before start(), which sends.
  void prepare(request::ApiCall::Environment environment, request::Params params, std::string name_space);
  void start();
  Handle number() const noexcept { return number_; }

  // No on_response starts afterwards.
  void cancel() KSR_EXCLUDES(mutex_);
  Status close() KSR_EXCLUDES(mutex_);
  void close_async() KSR_EXCLUDES(mutex_);
  // Empty: not within `timeout`.
  std::optional<Outcome> wait(std::optional<Milliseconds> timeout) KSR_EXCLUDES(mutex_);

  Turn take_turn() override KSR_EXCLUDES(mutex_);

 private:
  void complete(Outcome outcome) KSR_EXCLUDES(mutex_);
  // The outcome is known: what is left are callbacks.
  void after_outcome(bool ending) KSR_EXCLUDES(mutex_);
  void end() KSR_EXCLUDES(mutex_);
  void forget_if_closed() KSR_EXCLUDES(mutex_);

  // The call lives on the network thread, where its last reference is dropped: by the call itself, which keeps one
  // while it completes. Tasks capture this plain pointer, which std::function stores without allocating. One that is
  // cancelled before it is complete is deleted by the last of them, posted by the destructor: of others none is left.
  struct CallHolder {
    std::shared_ptr<request::ApiCall> call;
  };

  const Owner owner_;
  const Handle number_;
  const bool has_callbacks_;
  CallHolder* const call_holder_;

  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::unique_ptr<RequestHost> host_ KSR_GUARDED_BY(mutex_);
  std::optional<Outcome> outcome_ KSR_GUARDED_BY(mutex_);
  bool cancelled_ KSR_GUARDED_BY(mutex_) = false;
  bool told_ KSR_GUARDED_BY(mutex_) = false;   // on_response has been called, or will not be
  bool ended_ KSR_GUARDED_BY(mutex_) = false;  // the last callback is over
  bool closed_async_ KSR_GUARDED_BY(mutex_) = false;
};

}  // namespace ksr::client

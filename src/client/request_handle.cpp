#include "client/request_handle.hpp"

#include <utility>

#include "delivery/host_call.hpp"

namespace ksr::client {

RequestHandle::RequestHandle(Owner owner, Handle number, std::unique_ptr<RequestHost> host)
    : owner_(std::move(owner)),
      number_(number),
      has_callbacks_(host != nullptr && (host->wants_response() || host->wants_destroy())),
      call_holder_(new CallHolder),
      host_(std::move(host)) {}

RequestHandle::~RequestHandle() {
  if (!call_holder_->call) {
    delete call_holder_;
    return;
  }
  owner_.executor.post([holder = call_holder_] { delete holder; });
}

void RequestHandle::prepare(request::ApiCall::Environment environment, request::Params params, std::string name_space) {
  auto done = [self = weak_from_this()](Outcome outcome) {
    if (const auto handle = self.lock()) handle->complete(std::move(outcome));
  };
  call_holder_->call = std::make_shared<request::ApiCall>(std::move(environment), std::move(params),
                                                          std::move(name_space), std::move(done));
}

void RequestHandle::start() {
  // The holder is deleted by a later task than this one.
  owner_.executor.post([holder = call_holder_] { holder->call->start(); });
}

// ---- the outcome ----------------------------------------------------------------------------------------------------

void RequestHandle::complete(Outcome outcome) {
  {
    const MutexLock lock(mutex_);
    if (outcome_) return;
    outcome_.emplace(std::move(outcome));
    call_holder_->call.reset();
  }
  // Without the lock, for which the one who waits would have to wait once more.
  changed_.notify_all();
  after_outcome(false);
}

void RequestHandle::cancel() {
  bool under_way = false;
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return;
    cancelled_ = true;
    told_ = true;
    under_way = !outcome_;
    if (under_way) {
      Error error{Status::cancelled, "the request was cancelled"};
      error.maybe_done = call_holder_->call && call_holder_->call->maybe_done();
      outcome_.emplace(std::move(error));
    }
    changed_.notify_all();
  }
  if (under_way) {
    // Posted before the destructor's task, which deletes the holder.
    owner_.executor.post([holder = call_holder_] {
      if (holder->call) holder->call->cancel();
    });
  }
  after_outcome(false);
}

void RequestHandle::after_outcome(bool ending) {
  if (!has_callbacks_) return end();
  ending ? owner_.runner->post_ending(shared_from_this()) : owner_.runner->post(shared_from_this());
}

std::optional<RequestHandle::Outcome> RequestHandle::wait(std::optional<Milliseconds> timeout) {
  const MutexLock lock(mutex_);
  const Instant until = timeout ? std::chrono::steady_clock::now() + *timeout : Instant::max();
  while (!outcome_) {
    if (!timeout) {
      changed_.wait(mutex_);
    } else if (!changed_.wait_until(mutex_, until)) {
      break;
    }
  }
  return outcome_;
}

// ---- callbacks ------------------------------------------------------------------------------------------------------

delivery::CallbackSource::Turn RequestHandle::take_turn() {
  std::unique_ptr<RequestHost> host;
  const Outcome* untold = nullptr;
  {
    const MutexLock lock(mutex_);
    if (!outcome_ || !host_) return {};
    host = std::move(host_);
    // It does not change any more, so it is read without the lock.
    if (!std::exchange(told_, true)) untold = &*outcome_;
  }
  const bool made = (untold != nullptr && host->wants_response()) || host->wants_destroy();
  try {
    if (untold != nullptr) delivery::call_of_host([&] { host->on_response(*untold); });
    delivery::call_of_host([&] {
      host->call_destroy();
      host.reset();
    });
  } catch (...) {
    // The thread ends in the callback: the end of the client must not wait for it.
    end();
    throw;
  }
  end();
  forget_if_closed();
  return {made, false};
}

void RequestHandle::end() {
  std::unique_ptr<RequestHost> host;  // without callbacks; dropped after the lock
  {
    const MutexLock lock(mutex_);
    if (ended_) return;
    host = std::move(host_);
    ended_ = true;
    changed_.notify_all();
  }
}

// Not where the outcome comes, on the network thread: the end of the client may follow, with its host's destroy.
void RequestHandle::forget_if_closed() {
  {
    const MutexLock lock(mutex_);
    if (!ended_ || !std::exchange(closed_async_, false)) return;
  }
  owner_.forget(*this);
}

// ---- the end --------------------------------------------------------------------------------------------------------

Status RequestHandle::close() {
  if (owner_.runner->inside()) return Status::would_deadlock;
  cancel();
  if (owner_.runner->manual()) owner_.runner->run_here(*this);
  const MutexLock lock(mutex_);
  while (!ended_) changed_.wait(mutex_);
  return Status::ok;
}

void RequestHandle::close_async() {
  cancel();
  {
    const MutexLock lock(mutex_);
    closed_async_ = true;
  }
  after_outcome(true);
  forget_if_closed();
}

}  // namespace ksr::client

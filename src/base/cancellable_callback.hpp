// `CancellableCallback` is a callback that the one who waits for it can cancel by destroying a `PendingCall`; used
// wherever something is answered later: name resolution, credentials, discovery, requests that are refused. Both, and
// all copies of the callback, live on one thread, as a rule the network thread.
//
//   CancellableCallback<void(Expected<Addresses>)> callback(std::move(done));  // copied to where the result will be
//   return callback.handle();                                                  // the caller keeps it while it waits
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "base/exception_error.hpp"

namespace ksr {

namespace detail {

struct CancellableState {
  virtual ~CancellableState() = default;
  virtual void cancel() noexcept = 0;
};

template <class... Arguments>
struct CallbackState final : CancellableState {
  explicit CallbackState(std::function<void(Arguments...)> function_in) : function(std::move(function_in)) {}
  // What the function owns may refer to this state, so it is destroyed last.
  void cancel() noexcept override { const auto dropped = std::exchange(function, nullptr); }

  std::function<void(Arguments...)> function;
};

}  // namespace detail

// The right to be called back. Destroying it, or assigning to it, cancels: the callback does not run any more, and what
// it captured is destroyed. It may be destroyed within the callback. A default-constructed one waits for nothing.
class [[nodiscard]] PendingCall {
 public:
  PendingCall() = default;
  explicit PendingCall(std::shared_ptr<detail::CancellableState> state) noexcept : state_(std::move(state)) {}
  ~PendingCall() { cancel(); }
  PendingCall(PendingCall&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  PendingCall& operator=(PendingCall&& other) noexcept {
    if (this != &other) {
      cancel();
      state_ = std::exchange(other.state_, nullptr);
    }
    return *this;
  }
  PendingCall(const PendingCall&) = delete;
  PendingCall& operator=(const PendingCall&) = delete;

  void cancel() noexcept {
    if (const auto state = std::exchange(state_, nullptr)) state->cancel();
  }

 private:
  std::shared_ptr<detail::CancellableState> state_;
};

template <class Signature>
class CancellableCallback;

template <class... Arguments>
class CancellableCallback<void(Arguments...)> {
 public:
  using Function = std::function<void(Arguments...)>;

  // Throws std::bad_alloc; nothing after it does, so that the holder of a handle is called back unless it cancels.
  explicit CancellableCallback(Function function) : state_(std::make_shared<State>(std::move(function))) {}

  // For the one who waits. All handles cancel the same callback; as a rule there is one.
  PendingCall handle() const noexcept { return PendingCall(state_); }

  // False once it has run or was cancelled.
  bool pending() const noexcept { return static_cast<bool>(state_->function); }

  // Runs the callback unless it was cancelled or has run. What the callback throws comes out here.
  void operator()(Arguments... arguments) const {
    if (const Function function = take()) function(std::forward<Arguments>(arguments)...);
  }

  // The function itself, for a caller that deals with what the function throws; empty once it has run or was cancelled.
  Function take() const noexcept { return std::exchange(state_->function, nullptr); }

 private:
  using State = detail::CallbackState<Arguments...>;
  std::shared_ptr<State> state_;
};

// Runs `step` of an operation that `callback` waits for: an exception of it is the answer. What the callback itself
// throws comes out here.
template <class Argument, class Step>
void answering_exceptions(const CancellableCallback<void(Argument)>& callback, Step&& step) {
  // The callback may destroy the one it was given to.
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization)
  const CancellableCallback<void(Argument)> kept = callback;
  try {
    step();
  } catch (...) {
    if (!kept.pending()) throw;
    kept(error_of_exception());
  }
}

}  // namespace ksr

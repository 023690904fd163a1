// `HostCallbacks` is the Host that delivery calls, over the host's C functions; used by ksr_open. Its destructor runs
// the host's destroy callback if call_destroy() has not. Lives where callbacks run.
#pragma once

#include <cxxabi.h>

#include <string>
#include <utility>

#include "abi/callback_mark.hpp"
#include "abi/cancellation.hpp"
#include "abi/constants.hpp"
#include "abi/handles.hpp"
#include "delivery/host.hpp"

namespace ksr::abi {

// Runs `destroy` when it is destroyed, unless release() was called because HostCallbacks will do so.
class DestroyOnce {
 public:
  DestroyOnce(void* user_data, ksr_destroy_fn destroy) noexcept : user_data_(user_data), destroy_(destroy) {}
  // As a guard lets the end of the thread pass.
  ~DestroyOnce() noexcept(false) {
    if (destroy_ == nullptr) return;
    const CancellationHeld held;
    CallbackMark mark;
    const CallbackMark::Scope inside(mark);
    try {
      destroy_(user_data_);
    } catch (const ::abi::__forced_unwind&) {
      throw;
    } catch (...) {
      // A C++ host threw out of its destroy: the exception must not cross the ABI.
    }
  }
  DestroyOnce(const DestroyOnce&) = delete;
  DestroyOnce& operator=(const DestroyOnce&) = delete;
  void release() noexcept { destroy_ = nullptr; }

 private:
  void* user_data_;
  ksr_destroy_fn destroy_;
};

class HostCallbacks final : public delivery::Host {
 public:
  HostCallbacks(const Callbacks& callbacks, ksr_stream* stream, void* user_data, ksr_destroy_fn destroy)
      : callbacks_(callbacks), stream_(stream), user_data_(user_data), destroy_(destroy) {}
  ~HostCallbacks() override { HostCallbacks::call_destroy(); }

  bool wants_updates() const noexcept override { return callbacks_.on_update != nullptr; }
  bool wants_errors() const noexcept override { return callbacks_.on_error != nullptr; }
  bool wants_states() const noexcept override { return callbacks_.on_state != nullptr; }
  bool wants_log() const noexcept override { return callbacks_.on_log != nullptr; }
  bool wants_destroy() const noexcept override { return destroy_ != nullptr; }

  void on_update(const delivery::Snapshot& snapshot) override {
    const CallbackMark::Scope inside(mark_);
    callbacks_.on_update(stream_, handle(&snapshot), user_data_);
  }
  void on_error(delivery::ErrorReport report) override {
    const ksr_error error(std::move(report));
    const CallbackMark::Scope inside(mark_);
    callbacks_.on_error(stream_, &error, user_data_);
  }
  void on_state(sync::State state) override {
    const CallbackMark::Scope inside(mark_);
    callbacks_.on_state(stream_, code(state), user_data_);
  }
  void on_log(LogLevel level, const std::string& line) override {
    const CallbackMark::Scope inside(mark_);
    callbacks_.on_log(code(level), line.c_str(), line.size(), user_data_);
  }
  void call_destroy() override { DestroyOnce(user_data_, std::exchange(destroy_, nullptr)); }

 private:
  const Callbacks callbacks_;
  ksr_stream* const stream_;
  void* const user_data_;
  ksr_destroy_fn destroy_;
  CallbackMark mark_;
};

}  // namespace ksr::abi

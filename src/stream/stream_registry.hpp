// `StreamRegistry` maps the handles of open streams to them; used by abi/. A handle is a number that is never given out
// twice, so that a stale one is recognised instead of being followed. Never destroyed.
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/mutex.hpp"
#include "stream/stream.hpp"

namespace ksr::stream {

class StreamRegistry {
 public:
  using Handle = std::uintptr_t;

  static StreamRegistry& instance();

  // A handle for a stream that is about to be made; never 0.
  Handle reserve() noexcept { return next_.fetch_add(kHandleStep, std::memory_order_relaxed); }
  void put(Handle handle, std::shared_ptr<Stream> stream) KSR_EXCLUDES(registry_mutex_);
  // Empty: closed, or never a handle.
  std::shared_ptr<Stream> find(Handle handle) const KSR_EXCLUDES(registry_mutex_);
  void remove(Handle handle) KSR_EXCLUDES(registry_mutex_);

 private:
  // Looks like an aligned pointer to bindings that keep flags in low bits.
  static constexpr Handle kHandleStep = 16;

  std::atomic<Handle> next_{kHandleStep};
  mutable Mutex registry_mutex_;
  std::unordered_map<Handle, std::shared_ptr<Stream>> streams_ KSR_GUARDED_BY(registry_mutex_);
};

}  // namespace ksr::stream

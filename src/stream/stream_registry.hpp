// The handles of open streams. A handle is a number that is never given out twice, so that a stale one is recognised
// instead of being followed. Never destroyed. Any thread: `registry_mutex_` guards the table.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "stream/stream.hpp"

namespace ksr::stream {

class StreamRegistry {
 public:
  using Handle = std::uintptr_t;

  static StreamRegistry& instance();

  // A handle for a stream that is about to be made; never 0.
  Handle reserve() noexcept { return next_.fetch_add(kHandleStep, std::memory_order_relaxed); }
  void put(Handle handle, std::shared_ptr<Stream> stream);
  // Empty: closed, or never a handle.
  std::shared_ptr<Stream> find(Handle handle) const;
  void remove(Handle handle);

 private:
  // Looks like an aligned pointer to bindings that keep flags in low bits.
  static constexpr Handle kHandleStep = 16;

  std::atomic<Handle> next_{kHandleStep};
  mutable std::mutex registry_mutex_;
  std::unordered_map<Handle, std::shared_ptr<Stream>> streams_;
};

}  // namespace ksr::stream

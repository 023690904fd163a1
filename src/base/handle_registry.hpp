// `HandleRegistry` maps the handles that a host holds to what they stand for; used for streams, clients, requests
// and channels. A handle is a number that is never given out twice, so that a stale one is recognised instead of being
// followed. Never destroyed. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "base/mutex.hpp"

namespace ksr {

using Handle = std::uintptr_t;

// Of all registries, so that a handle of one is no handle of another.
class HandleNumbers {
 public:
  static Handle next() noexcept { return next_.fetch_add(kStep, std::memory_order_relaxed); }

 private:
  // Looks like an aligned pointer to bindings that keep flags in low bits.
  static constexpr Handle kStep = 16;
  inline static std::atomic<Handle> next_{kStep};
};

template <class T>
class HandleRegistry {
 public:
  using Handle = ksr::Handle;

  static HandleRegistry& instance() {
    static HandleRegistry* const registry = new HandleRegistry;
    return *registry;
  }

  // A handle for what is about to be made; never 0.
  Handle reserve() noexcept { return HandleNumbers::next(); }

  void put(Handle handle, std::shared_ptr<T> held) KSR_EXCLUDES(registry_mutex_) {
    const MutexLock lock(registry_mutex_);
    held_.emplace(handle, std::move(held));
  }

  // Empty: closed, or never a handle.
  std::shared_ptr<T> find(Handle handle) const KSR_EXCLUDES(registry_mutex_) {
    const MutexLock lock(registry_mutex_);
    const auto found = held_.find(handle);
    return found == held_.end() ? nullptr : found->second;
  }

  void remove(Handle handle) KSR_EXCLUDES(registry_mutex_) {
    std::shared_ptr<T> last;  // dropped after the lock
    const MutexLock lock(registry_mutex_);
    const auto found = held_.find(handle);
    if (found == held_.end()) return;
    last = std::move(found->second);
    held_.erase(found);
  }

 private:
  mutable Mutex registry_mutex_;
  std::unordered_map<Handle, std::shared_ptr<T>> held_ KSR_GUARDED_BY(registry_mutex_);
};

}  // namespace ksr

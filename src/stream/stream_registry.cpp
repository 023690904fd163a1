#include "stream/stream_registry.hpp"

#include <utility>

namespace ksr::stream {

StreamRegistry& StreamRegistry::instance() {
  static StreamRegistry* const registry = new StreamRegistry;
  return *registry;
}

void StreamRegistry::put(Handle handle, std::shared_ptr<Stream> stream) {
  const MutexLock lock(registry_mutex_);
  streams_.emplace(handle, std::move(stream));
}

std::shared_ptr<Stream> StreamRegistry::find(Handle handle) const {
  const MutexLock lock(registry_mutex_);
  const auto found = streams_.find(handle);
  return found == streams_.end() ? nullptr : found->second;
}

void StreamRegistry::remove(Handle handle) {
  std::shared_ptr<Stream> last;  // dropped after the lock
  const MutexLock lock(registry_mutex_);
  const auto found = streams_.find(handle);
  if (found == streams_.end()) return;
  last = std::move(found->second);
  streams_.erase(found);
}

}  // namespace ksr::stream

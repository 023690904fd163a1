#include "stream/registry.hpp"

#include <utility>

namespace ksr::stream {

Registry& Registry::instance() {
  static Registry* const registry = new Registry;
  return *registry;
}

void Registry::put(Handle handle, std::shared_ptr<Stream> stream) {
  const std::lock_guard<std::mutex> lock(registry_mutex_);
  streams_.emplace(handle, std::move(stream));
}

std::shared_ptr<Stream> Registry::find(Handle handle) const {
  const std::lock_guard<std::mutex> lock(registry_mutex_);
  const auto found = streams_.find(handle);
  return found == streams_.end() ? nullptr : found->second;
}

void Registry::remove(Handle handle) {
  std::shared_ptr<Stream> last;  // dropped after the lock
  const std::lock_guard<std::mutex> lock(registry_mutex_);
  const auto found = streams_.find(handle);
  if (found == streams_.end()) return;
  last = std::move(found->second);
  streams_.erase(found);
}

}  // namespace ksr::stream

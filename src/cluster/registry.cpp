#include "cluster/registry.hpp"

#include <cstdint>
#include <utility>

namespace ksr::cluster {
namespace {

std::string key_of(const Settings& settings, const AccessEnvironment& environment) {
  const auto address = [](const void* object) {
    return std::to_string(reinterpret_cast<std::uintptr_t>(object)) + "/";
  };
  return address(&environment.executor) + address(&environment.transport) + fingerprint(settings);
}

}  // namespace

std::shared_ptr<SharedAccess> Registry::find_or_make(Settings settings, const AccessEnvironment& environment,
                                                     const Surroundings& surroundings) {
  const std::string key = key_of(settings, environment);
  const std::lock_guard lock(accesses_mutex_);
  for (auto entry = accesses_.begin(); entry != accesses_.end();) {
    entry = entry->second.expired() ? accesses_.erase(entry) : std::next(entry);
  }
  std::weak_ptr<SharedAccess>& entry = accesses_[key];
  std::shared_ptr<SharedAccess> access = entry.lock();
  if (!access) {
    access = SharedAccess::make(std::move(settings), environment, surroundings);
    entry = access;
  }
  return access;
}

Registry& process_registry() {
  static Registry* const registry = new Registry;
  return *registry;
}

}  // namespace ksr::cluster

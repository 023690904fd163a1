#include "cluster/shared_access_registry.hpp"

#include <cstdint>
#include <utility>

namespace ksr::cluster {
namespace {

std::string key_of(const ResolvedConnection& settings, const AccessEnvironment& environment) {
  const auto address = [](const void* object) {
    return std::to_string(reinterpret_cast<std::uintptr_t>(object)) + "/";
  };
  return address(&environment.executor) + address(&environment.transport) + fingerprint(settings);
}

}  // namespace

std::shared_ptr<SharedAccess> SharedAccessRegistry::find_or_make(ResolvedConnection settings,
                                                                 const AccessEnvironment& environment,
                                                                 const ProcessEnvironment& process_env) {
  const std::string key = key_of(settings, environment);
  const MutexLock lock(accesses_mutex_);
  for (auto entry = accesses_.begin(); entry != accesses_.end();) {
    entry = entry->second.expired() ? accesses_.erase(entry) : std::next(entry);
  }
  std::weak_ptr<SharedAccess>& entry = accesses_[key];
  std::shared_ptr<SharedAccess> access = entry.lock();
  if (!access) {
    access = SharedAccess::make(std::move(settings), environment, process_env);
    entry = access;
  }
  return access;
}

SharedAccessRegistry& process_access_registry() {
  static SharedAccessRegistry* const registry = new SharedAccessRegistry;
  return *registry;
}

}  // namespace ksr::cluster

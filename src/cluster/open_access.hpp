// `open_access_in` is open_access() with its process environment and registry given; used by open_access() and by
// tests. `SharedAccessRegistry` finds the Access of a connection that is open already. Any thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "cluster/access.hpp"
#include "cluster/process_environment.hpp"
#include "cluster/shared_access.hpp"

namespace ksr::cluster {

// The connections that are open in this process.
class SharedAccessRegistry {
 public:
  std::shared_ptr<SharedAccess> find_or_make(ResolvedConnection connection, const AccessEnvironment& environment,
                                             const ProcessEnvironment& process_env);

 private:
  Mutex accesses_mutex_;
  std::map<std::string, std::weak_ptr<SharedAccess>> accesses_ KSR_GUARDED_BY(accesses_mutex_);
};

Expected<std::shared_ptr<Access>> open_access_in(const ConnectionOptions& options, const AccessEnvironment& environment,
                                                 const ProcessEnvironment& process_env, SharedAccessRegistry& registry,
                                                 Logger& logger, std::string* name_space = nullptr);

}  // namespace ksr::cluster

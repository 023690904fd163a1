// Which connections are open in this process, so that streams with the same settings find the same Access.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.hpp"
#include "cluster/shared_access.hpp"

namespace ksr::cluster {

// Any thread.
class SharedAccessRegistry {
 public:
  std::shared_ptr<SharedAccess> find_or_make(ResolvedConnection settings, const AccessEnvironment& environment,
                                             const ProcessEnvironment& process_env);

 private:
  Mutex accesses_mutex_;
  std::map<std::string, std::weak_ptr<SharedAccess>> accesses_ KSR_GUARDED_BY(accesses_mutex_);
};

// The one of the process. Never destroyed: streams may be open when the process ends.
SharedAccessRegistry& process_access_registry();

}  // namespace ksr::cluster

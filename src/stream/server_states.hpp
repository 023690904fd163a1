// One ServerState for each Access, as long as a stream of it is open. Lives on the network thread.
#pragma once

#include <memory>
#include <unordered_map>

#include "cluster/access.hpp"
#include "sync/server_state.hpp"

namespace ksr::stream {

class ServerStates {
 public:
  std::shared_ptr<sync::ServerState> of(const cluster::Access& access) {
    std::weak_ptr<sync::ServerState>& held = memories_[&access];
    std::shared_ptr<sync::ServerState> memory = held.lock();
    if (!memory) {
      memory = std::make_shared<sync::ServerState>();
      held = memory;
    }
    return memory;
  }

  // Drops the entries of servers that no stream uses any more.
  void forget_unused() {
    for (auto entry = memories_.begin(); entry != memories_.end();) {
      entry = entry->second.expired() ? memories_.erase(entry) : std::next(entry);
    }
  }

 private:
  std::unordered_map<const cluster::Access*, std::weak_ptr<sync::ServerState>> memories_;
};

}  // namespace ksr::stream

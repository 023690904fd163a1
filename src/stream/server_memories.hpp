// One ServerMemory for each Access, as long as a stream of it is open. Lives on the network thread.
#pragma once

#include <memory>
#include <unordered_map>

#include "cluster/access.hpp"
#include "sync/server_memory.hpp"

namespace ksr::stream {

class ServerMemories {
 public:
  std::shared_ptr<sync::ServerMemory> of(const cluster::Access& access) {
    std::weak_ptr<sync::ServerMemory>& held = memories_[&access];
    std::shared_ptr<sync::ServerMemory> memory = held.lock();
    if (!memory) {
      memory = std::make_shared<sync::ServerMemory>();
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
  std::unordered_map<const cluster::Access*, std::weak_ptr<sync::ServerMemory>> memories_;
};

}  // namespace ksr::stream

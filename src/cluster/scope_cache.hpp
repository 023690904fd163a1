// Which resources of a group version are namespaced, asked for one document at a time: a resource that is named in full
// needs no more of discovery than that.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "cluster/discovery_run.hpp"

namespace ksr::cluster {

// Lives on the network thread.
class ScopeCache {
 public:
  struct Entry {
    Instant learned_at;
    // False: the server did not let us know, and nobody is kept from trying.
    bool readable = false;
    std::vector<ApiResource> resources;
    // NULL where it is not served.
    const ApiResource* find(const std::string& plural) const;
  };

  // `learned` is told of each page that came; never inside ask().
  ScopeCache(Executor& executor, const DiscoveryRun::Environment& environment, std::function<void()> learned);
  ~ScopeCache();

  // Of "/api/v1" or "/apis/apps/v1"; NULL where it was never asked for.
  const Entry* entry(const std::string& root) const;
  // Nothing where that page is on its way.
  void ask(const std::string& root);
  void forget_older_than(Instant then);

 private:
  class Fetch;
  void on_entry(const std::string& root, Entry entry);

  Executor& executor_;
  DiscoveryRun::Environment environment_;
  std::function<void()> learned_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::unique_ptr<Fetch>> fetches_;
};

}  // namespace ksr::cluster

// `ScopeCache` knows which resources of a group version are namespaced, from one discovery document each; used by
// Discovery for resources that are named in full, which need no more of it than that. Lives on the network thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "cluster/discovery_run.hpp"

namespace ksr::cluster {

class ScopeCache {
 public:
  struct Entry {
    Instant learned_at;
    // False: the document could not be read, and requests are made all the same.
    bool readable = false;
    std::vector<ApiResource> resources;
    // NULL: it is not served.
    const ApiResource* find(const std::string& plural) const;
  };

  // `learned` is called after each fetch; never inside fetch().
  ScopeCache(Executor& executor, const DiscoveryRun::Environment& environment, std::function<void()> learned);
  ~ScopeCache();

  // Of "/api/v1" or "/apis/apps/v1"; NULL: it was not fetched.
  const Entry* entry(const std::string& root) const;
  // Does nothing while a fetch of that document is on its way.
  void fetch(const std::string& root);
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

// `Discovery` turns the names of a query into resources; used by SharedAccess for all that share it. It remembers what
// the cluster serves, and fetches again when a name is missing, or what it stood for is. Lives on the network thread.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "base/cancellable_callback.hpp"
#include "base/executor.hpp"
#include "cluster/discovery_run.hpp"
#include "cluster/scope_cache.hpp"

namespace ksr::cluster {

class Discovery {
 public:
  enum class Known {
    counts,
    // Unless it is quite new.
    is_out_of_date,
  };

  Discovery(Executor& executor, const DiscoveryRun::Environment& environment);
  ~Discovery();

  // `ready` is called on the network thread, never before this has returned. A resource named in full needs no request
  // without a namespace, and one small one with it.
  PendingCall resolve(const QueryOptions& query, Known known, ResourcesReady ready);

 private:
  using Result = Expected<std::vector<Resource>>;
  struct Lookup;

  void answer_lookups();
  void start_run();
  void on_run_deadline();
  void on_mapper(Expected<RestMapper> mapper);
  // Empty: what is missing is on its way.
  std::optional<Result> answer_to(Lookup& lookup);
  // Removes the lookups that `answer` has an answer for, or that were cancelled, then calls them back. An exception of
  // `answer` is one. A callback may destroy this object.
  template <class Find>
  void answer_each(Find answer);

  Executor& executor_;
  DiscoveryRun::Environment environment_;
  std::list<Lookup> lookups_;
  std::optional<RestMapper> mapper_;
  Instant learned_at_;
  // What was learned is as of some moment since then.
  Instant asked_at_;
  Instant run_began_at_;
  ScopeCache scopes_;
  std::unique_ptr<DiscoveryRun> run_;
  std::unique_ptr<Timer> run_deadline_;
  // The answer_lookups() that was posted last, which answers for those before it too.
  PendingCall posted_;
};

}  // namespace ksr::cluster

// Turns the names of a query into resources; remembers what the cluster serves, and asks again when a name is not
// there.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/executor.hpp"
#include "cluster/discovery_run.hpp"
#include "cluster/scope_cache.hpp"

namespace ksr::cluster {

// Lives on the network thread. One for all streams of an Access.
class Discovery {
 public:
  using Ready = std::function<void(Expected<std::vector<Resource>>)>;
  Discovery(Executor& executor, const DiscoveryRun::Environment& environment);
  ~Discovery();

  // Answers on the network thread, never before it returned. Resources named in full need no request without
  // a namespace, and one small one with it.
  std::unique_ptr<Pending> resolve(const QueryOptions& query, Ready ready);

 private:
  struct Question;
  class Wait;

  void consider();
  void run();
  void on_mapper(Expected<RestMapper> mapper);
  // Empty where it had to be asked for.
  std::optional<Expected<std::vector<Resource>>> answer_to(Question& question);
  std::optional<Expected<std::vector<Resource>>> answer_or_error(Question& question);

  Executor& executor_;
  DiscoveryRun::Environment environment_;
  std::vector<std::shared_ptr<Question>> questions_;
  std::optional<RestMapper> mapper_;
  Instant learned_at_;
  ScopeCache scopes_;
  std::unique_ptr<DiscoveryRun> run_;
  // Guards what is posted: gone with this object.
  std::shared_ptr<Discovery*> self_;
};

}  // namespace ksr::cluster

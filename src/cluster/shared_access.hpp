// The Access that streams with the same settings share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/access.hpp"
#include "cluster/listeners.hpp"
#include "cluster/renewable.hpp"
#include "cluster/settings.hpp"
#include "cluster/surroundings.hpp"

namespace ksr::cluster {

// Lives on the network thread; made anywhere, destroyed there (see make()).
class SharedAccess final : public Access, public std::enable_shared_from_this<SharedAccess> {
 public:
  // The last owner may let go of it on any thread: what it holds is destroyed on the network thread.
  static std::shared_ptr<SharedAccess> make(Settings settings, const AccessEnvironment& environment,
                                            const Surroundings& surroundings);
  ~SharedAccess() override;

  std::unique_ptr<Pending> authorize(std::function<void(Expected<Grant>)> ready) override;
  void reject_credentials() override;
  std::unique_ptr<Pending> resolve(const QueryOptions& query,
                                   std::function<void(Expected<std::vector<Resource>>)> ready) override;
  const std::string& server() const noexcept override { return server_; }

  void listen(std::weak_ptr<Logger> logger) override { listeners_.add(std::move(logger)); }

 private:
  struct Waiter;
  class Wait;

  SharedAccess(Settings settings, const AccessEnvironment& environment, const Surroundings& surroundings);
  void start_renewals();
  void serve();
  void answer_when_settled();
  void answer_all();
  Expected<Grant> grant();
  Expected<std::shared_ptr<transport::Connection>> connection_for(const Contribution& credentials);

  const Settings settings_;
  const std::string server_;
  Executor& executor_;
  transport::Transport& transport_;
  const Surroundings& surroundings_;
  Listeners listeners_;
  std::vector<std::shared_ptr<Renewable>> renewables_;
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::unique_ptr<Timer> patience_;
  std::shared_ptr<transport::Connection> connection_;
  transport::TlsSettings connection_tls_;
};

}  // namespace ksr::cluster

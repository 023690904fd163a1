// The Access that streams with the same settings share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/access.hpp"
#include "cluster/closable_connection.hpp"
#include "cluster/credential_source.hpp"
#include "cluster/discovery.hpp"
#include "cluster/listeners.hpp"
#include "cluster/process_environment.hpp"
#include "cluster/resolved_connection.hpp"

namespace ksr::cluster {

// Lives on the network thread; made anywhere, destroyed there (see make()).
class SharedAccess final : public Access, public std::enable_shared_from_this<SharedAccess> {
 public:
  // The last owner may let go of it on any thread: what it holds is destroyed on the network thread.
  static std::shared_ptr<SharedAccess> make(ResolvedConnection settings, const AccessEnvironment& environment,
                                            const ProcessEnvironment& process_env);
  ~SharedAccess() override;

  std::unique_ptr<Pending> authenticate(std::function<void(Expected<RequestAuth>)> ready) override {
    return authenticate(Purpose::request, std::move(ready));
  }
  std::unique_ptr<Pending> authenticate(Purpose purpose, std::function<void(Expected<RequestAuth>)> ready) override;
  void reject_credentials() override;
  std::unique_ptr<Pending> resolve(const QueryOptions& query,
                                   std::function<void(Expected<std::vector<Resource>>)> ready) override;
  const std::string& server() const noexcept override { return server_; }

  void note_answer(const transport::ResponseHead& head) override;
  std::uint64_t reloads() const noexcept override { return reloads_.load(std::memory_order_relaxed); }
  void listen(std::weak_ptr<Logger> logger) override { listeners_.add(std::move(logger)); }

 private:
  struct Waiter;
  class Wait;

  SharedAccess(ResolvedConnection settings, const AccessEnvironment& environment,
               const ProcessEnvironment& process_env);
  void start_renewals();
  void serve();
  void look_at_files();
  void look_again_later();
  void on_settled();
  void answer_when_settled();
  void answer_all();
  Expected<RequestAuth> auth();
  // Runs `step`; an exception of it is an error for all who wait.
  template <class Step>
  void guarded(Step&& step);
  void fail_all(const Error& error);
  Expected<RequestAuth> grant_or_error();
  void hand_out(const std::shared_ptr<Waiter>& waiter, const Expected<RequestAuth>& auth);
  void hand_over(const std::shared_ptr<Waiter>& waiter, Expected<RequestAuth> auth);
  RequestAuth for_websocket(RequestAuth auth) const;
  RequestAuth for_request(RequestAuth auth) const;
  // The request that makes a Headlamp server remember the cluster for the handshake that follows.
  void remind(const std::shared_ptr<Waiter>& waiter, const RequestAuth& auth);
  Expected<std::shared_ptr<transport::Connection>> connection_for(const Credentials& credentials);
  void leave_old_certificate();

  const ResolvedConnection settings_;
  const std::string server_;
  Executor& executor_;
  transport::Transport& transport_;
  const ProcessEnvironment& process_env_;
  Listeners listeners_;
  std::vector<std::shared_ptr<CredentialSource>> sources_;
  std::vector<std::shared_ptr<Waiter>> waiters_;
  std::unique_ptr<Timer> patience_;
  std::unique_ptr<Timer> next_look_;
  std::shared_ptr<transport::Connection> connection_;
  // Of all connections with the client certificate at hand.
  std::shared_ptr<OpenWatches> watches_ = std::make_shared<OpenWatches>();
  transport::TlsSettings connection_tls_;
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<std::uint64_t> reloads_{0};
  std::unique_ptr<Discovery> discovery_;
};

}  // namespace ksr::cluster

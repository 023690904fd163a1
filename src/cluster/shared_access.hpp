// `SharedAccess` is the Access that all streams with the same resolved connection share; used by open_access. Lives on
// the network thread; it may be made and released on any (see make()).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.hpp"
#include "cluster/access.hpp"
#include "cluster/closable_connection.hpp"
#include "cluster/credential_source.hpp"
#include "cluster/discovery.hpp"
#include "cluster/http_fetch.hpp"
#include "cluster/process_environment.hpp"
#include "cluster/resolve_connection.hpp"

namespace ksr::cluster {

// Logs to the loggers of all streams that share an Access. Any thread.
class FanOutLogger final : public Logger {
 public:
  bool wants(LogLevel level) const noexcept override;
  void log(LogLevel level, std::string line) override;

  // Used while it exists; the Access may exist longer.
  void add(std::weak_ptr<Logger> logger);

 private:
  std::vector<std::shared_ptr<Logger>> existing() const;

  mutable Mutex loggers_mutex_;
  std::vector<std::weak_ptr<Logger>> loggers_ KSR_GUARDED_BY(loggers_mutex_);
};

class SharedAccess final : public Access, public std::enable_shared_from_this<SharedAccess> {
 public:
  // The last owner may release it on any thread: it is destroyed on the network thread.
  static std::shared_ptr<SharedAccess> make(ResolvedConnection settings, const AccessEnvironment& environment,
                                            const ProcessEnvironment& process_env);
  ~SharedAccess() override;

  PendingCall authenticate(Purpose purpose, AuthReady ready) override;
  bool reject_credentials() override;
  PendingCall resolve(const QueryOptions& query, ResourcesReady ready) override;
  PendingCall resolve_again(const QueryOptions& query, ResourcesReady ready) override;
  const std::string& server() const noexcept override { return server_; }
  void on_response_head(const transport::ResponseHead& head) override;
  std::uint64_t reloads() const noexcept override { return reloads_.load(std::memory_order_relaxed); }
  std::shared_ptr<const Secrets> secrets() const override { return secrets_; }
  void add_logger(std::weak_ptr<Logger> logger) override { logger_->add(std::move(logger)); }

 private:
  // One authenticate() that was not answered yet.
  struct PendingAuth {
    Purpose purpose;
    CancellableCallback<void(Expected<RequestAuth>)> ready;
    // Owned by the callback, so that it is cancelled with it.
    std::weak_ptr<std::unique_ptr<HttpFetch>> fetch;
  };

  SharedAccess(ResolvedConnection settings, const AccessEnvironment& environment,
               const ProcessEnvironment& process_env);
  void start_sources();
  void renew_and_answer();
  void renew_proactively();
  void schedule_proactive_renewal();
  void on_fetched();
  void answer_when_renewed();
  void answer_all();
  Expected<RequestAuth> auth();
  // Runs `step`; an exception of it is the answer to all pending authenticate() calls.
  template <class Step>
  void guarded(Step&& step);
  void fail_all(Error error);
  Expected<RequestAuth> auth_or_error();
  void answer(const PendingAuth& pending, const Expected<RequestAuth>& auth);
  void answer_for_purpose(const PendingAuth& pending, Expected<RequestAuth> auth);
  RequestAuth for_websocket(RequestAuth auth) const;
  std::string headlamp_prefix() const;
  RequestAuth for_request(RequestAuth auth) const;
  // The request that makes a Headlamp server remember the cluster for the WebSocket handshake that follows.
  void register_at_headlamp(const PendingAuth& pending, const RequestAuth& auth);
  Expected<std::shared_ptr<transport::Connection>> connection_for(const Credentials& credentials);
  void end_watches_of_old_certificate();
  void remember(const Credentials& credentials);

  const ResolvedConnection settings_;
  const std::string server_;
  Executor& executor_;
  transport::Transport& transport_;
  const ProcessEnvironment& process_env_;
  // Shared with plugins that run, as what they say is logged.
  const std::shared_ptr<FanOutLogger> logger_ = std::make_shared<FanOutLogger>();
  const std::shared_ptr<Secrets> secrets_ = std::make_shared<Secrets>();
  std::vector<std::shared_ptr<CredentialSource>> sources_;
  std::vector<PendingAuth> pending_auths_;
  std::unique_ptr<Timer> stale_wait_timer_;
  std::unique_ptr<Timer> renewal_timer_;
  std::shared_ptr<transport::Connection> connection_;
  // Of all connections with the present client certificate.
  std::shared_ptr<OpenWatches> watches_ = std::make_shared<OpenWatches>();
  transport::TlsSettings connection_tls_;
  Credentials remembered_;
  const std::shared_ptr<std::atomic<bool>> stop_ = std::make_shared<std::atomic<bool>>(false);
  std::atomic<std::uint64_t> reloads_{0};
  std::unique_ptr<Discovery> discovery_;
};

}  // namespace ksr::cluster

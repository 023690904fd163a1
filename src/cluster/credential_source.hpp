// `CredentialSource` holds credentials that have to be fetched again from time to time: a token file, certificates, the
// output of an exec plugin; `credential_sources_of` says which sources a connection has. Used by SharedAccess. Lives on
// the network thread; each fetch runs on a thread that may block, one at a time for a source.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/credentials.hpp"
#include "cluster/oidc_token.hpp"
#include "cluster/process_environment.hpp"
#include "cluster/resolve_connection.hpp"

namespace ksr::cluster {

struct CredentialSourcePlan {
  // For log lines: "token_file /run/token".
  std::string name;
  // Runs on a thread that may block: owns all that it uses.
  std::function<Expected<Credentials>()> fetch;
  // Fetched again at that age; empty: only when it expires.
  std::optional<Milliseconds> period;
  // A request that was answered 401 makes it invalid.
  bool credentials = false;
  // Fetched again at that age even while no request needs it.
  bool proactive = false;
  // The last value stays in use while it cannot be fetched again.
  bool keep_stale_on_error = false;
  // A failure stays the answer to all requests, and a value that replaces a rejected one cannot be rejected, for a time
  // that doubles from 1 s to 60 s: requests repeat by themselves, and each would run the plugin again.
  bool has_backoff = false;
  // A fetch that takes longer has failed, whatever keeps it; empty: it is waited for.
  std::optional<Milliseconds> max_time = std::nullopt;
  // What was read when the connection was opened; empty: nothing yet.
  std::optional<Credentials> initial = std::nullopt;
};

// What the connection's configuration contributes, with its files as they were read when it was opened.
Credentials credentials_of(const ResolvedConnection& connection);
// Setting `stop` ends a plugin that is running. `process_env` outlives all fetches; `logger` gets what plugins say;
// `issuer` is called by fetches.
std::vector<CredentialSourcePlan> credential_sources_of(const ResolvedConnection& connection,
                                                        const ProcessEnvironment& process_env,
                                                        const std::shared_ptr<const std::atomic<bool>>& stop,
                                                        const std::shared_ptr<Logger>& logger,
                                                        const IssuerCall& issuer);

class CredentialSource : public std::enable_shared_from_this<CredentialSource> {
 public:
  struct Environment {
    Executor& executor;
    const ProcessEnvironment& process_env;
    Logger& logger;
  };
  // `on_fetched` is called after each fetch, successful or not. Never inside one of the calls below.
  CredentialSource(CredentialSourcePlan plan, const Environment& environment, std::function<void()> on_fetched);

  // Starts a fetch if the value is too old, expired or rejected.
  void renew_if_due();
  // When renew_if_due() has to be called even without a request; empty: never.
  std::optional<Instant> renews_proactively_at() const;
  bool renewing() const noexcept { return renewing_; }
  // True when the present value may be used although a fetch is on its way.
  bool usable_meanwhile() const noexcept;
  // Invalidates what was fetched before now. False: it stays in use.
  bool reject();
  // The value, or why there is none.
  Expected<Credentials> current() const;

 private:
  bool due() const;
  void start();
  void fetch();
  void finish(std::uint64_t fetch, Expected<Credentials> outcome);
  void note_success(Credentials credentials);
  void on_failure(Error error);

  CredentialSourcePlan plan_;
  Executor& executor_;
  const ProcessEnvironment& process_env_;
  Logger& logger_;
  std::function<void()> on_fetched_;
  std::optional<Credentials> value_;
  std::optional<Error> failure_;
  Instant fetched_at_;
  std::optional<Instant> failed_at_;
  Instant retry_at_;
  bool renewing_ = false;
  bool rejected_ = false;
  bool replaces_rejected_ = false;
  // The number of the fetch that is on its way: an outcome that comes too late is dropped.
  std::uint64_t fetch_ = 0;
  std::unique_ptr<Timer> timer_;
  // Of plans with has_backoff: how long the next failure counts, and how old a value has to be to be rejected.
  Milliseconds failure_backoff_;
  Milliseconds min_age_to_reject_;
};

}  // namespace ksr::cluster

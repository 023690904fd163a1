// What has to be fetched again from time to time, away from the network thread: a token file, certificates, the answer
// of an exec plugin. One fetch at a time; nobody waits for it here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// What one source adds to the credentials; an empty text says nothing.
struct Credentials {
  std::string authorization;  // the value of the header
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  std::optional<WallTime> expires;
};

struct CredentialSourcePlan {
  // For log lines: "token_file /run/token".
  std::string name;
  // Runs aside: owns all that it uses.
  std::function<Expected<Credentials>()> fetch;
  // Fetched anew when it is that old; empty: only when it expires.
  std::optional<Milliseconds> period;
  // A refused request makes it worthless.
  bool credentials = false;
  // Fetched anew when its time has come, not only when somebody wants it.
  bool proactive = false;
  // What is there serves on while it cannot be renewed.
  bool keep_stale_on_error = false;
};

// Lives on the network thread.
class CredentialSource : public std::enable_shared_from_this<CredentialSource> {
 public:
  struct Environment {
    Executor& executor;
    const ProcessEnvironment& process_env;
    Logger& logger;
  };
  // `settled` is called whenever a fetch has ended, with a value or without. Never inside a call from above.
  CredentialSource(CredentialSourcePlan plan, std::optional<Credentials> initial, const Environment& environment,
                   std::function<void()> settled);

  // Starts a fetch where what is there is too old, expired or refused.
  void renew_if_due();
  // When it wants renew_if_due() to be called even if nobody asks; empty: never.
  std::optional<Instant> renews_proactively_at() const;
  bool renewing() const noexcept { return renewing_; }
  // True while what is there may be used although a fetch is on its way.
  bool usable_meanwhile() const noexcept;
  // Whatever was fetched before now is worth nothing.
  void reject();
  // The value, or why there is none.
  Expected<Credentials> current() const;

 private:
  bool due() const;
  void start();
  void fetch();
  void finish(Expected<Credentials> outcome);
  void keep_or_lose(Error error);

  CredentialSourcePlan plan_;
  Executor& executor_;
  const ProcessEnvironment& process_env_;
  Logger& logger_;
  std::function<void()> settled_;
  std::optional<Credentials> value_;
  std::optional<Error> failure_;
  Instant fetched_at_;
  std::optional<Instant> failed_at_;
  bool renewing_ = false;
  bool rejected_ = false;
  bool replaces_refused_ = false;
};

}  // namespace ksr::cluster

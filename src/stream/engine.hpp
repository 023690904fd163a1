// `Engine` is the network side of one stream, or of several that share their view: it resolves the resource, runs a
// session for each namespace, and reports their combined state to all of them; used by Informer and Runtime. Lives on
// the network thread, except its construction.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "base/executor.hpp"
#include "base/random.hpp"
#include "cluster/access.hpp"
#include "delivery/shared_view.hpp"
#include "stream/config.hpp"
#include "stream/last_error.hpp"
#include "stream/runtime.hpp"
#include "stream/session.hpp"
#include "stream/statistics.hpp"
#include "stream/subscribers.hpp"
#include "stream/version_fetch.hpp"
#include "sync/backoff.hpp"

namespace ksr::stream {

struct EngineParts {
  Executor& executor;
  ServerStates& server_states;
  std::unique_ptr<Random> random;
  Config config;
  std::shared_ptr<cluster::Access> access;
  std::shared_ptr<delivery::SharedView> view;
  std::shared_ptr<Statistics> statistics;
};

class Engine final : public std::enable_shared_from_this<Engine>, private SessionOwner {
 public:
  explicit Engine(EngineParts parts);
  ~Engine() override;

  void start();
  // One that comes after start() is told how things stand, and gets what is there.
  void add(Subscribers::List& node);
  void remove(Subscribers::List& node, Subscribers::List::iterator subscriber) noexcept;
  // Nothing is sent or reported afterwards. Not within a call of a session.
  void cancel() noexcept;
  // A fatal error has ended it. Any thread.
  bool over() const noexcept { return over_.load(); }
  void on_clock_jump();
  // An exception, given as `error`, has ended a step of the engine or of an unknown task: what is under way ends with
  // this error, and is tried again after the backoff.
  void on_lost(const Error& error);
  // Sets the timers, and informs the subscribers, for which there was no memory before.
  void rearm();

 private:
  // Runs `step`; an exception of it affects this stream only.
  template <class Step>
  void guarded(Step&& step);
  void resolve();
  void on_resolved(Expected<std::vector<cluster::Resource>> resources);
  void on_unresolved(const Error& error);
  void report_unresolved(const Error& error, std::optional<Milliseconds> next_try);
  // Asks the server for its version first, where that decides how it is listed and is not known.
  void ask_version();
  void run_sessions();

  void on_session_state() override;
  void on_session_counters() override;
  void on_session_synced() override;
  void on_fatal() override;
  bool resolve_again() override;
  void on_resolved_again(Expected<std::vector<cluster::Resource>> resources);

  void note_started() noexcept;
  void inform(Subscriber& subscriber) noexcept;
  void publish_state();
  void publish_statistics();
  // Logs it when it is not what was logged last.
  void tell_shard(bool by_server) noexcept;
  void publish_last_error();
  sync::State combined_state() const;

  EngineParts parts_;
  Subscribers subscribers_;
  std::vector<cluster::Resource> resources_;
  PendingCall resolving_;
  // Held from here on: what is learned of the server before its first session is kept.
  std::shared_ptr<sync::ServerState> server_state_;
  std::unique_ptr<VersionFetch> version_fetch_;
  sync::Backoff backoff_;
  std::unique_ptr<Timer> retry_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::optional<sync::State> published_state_;
  std::optional<Instant> resolve_again_at_;
  std::uint64_t resolve_errors_ = 0;
  bool credentials_retried_ = false;
  std::optional<Instant> resolved_again_at_;
  // on_resolved_again() follows.
  bool resolving_again_ = false;
  CurrentErrorRef resolve_error_;
  // As the log has it; empty: nothing yet.
  std::optional<bool> shard_by_server_;
  CurrentErrorRef published_error_;
  bool started_ = false;
  bool synced_ = false;
  bool cancelled_ = false;
  std::atomic<bool> over_{false};
};

}  // namespace ksr::stream

// The network side of one stream: resolves what is asked for, runs a session for each namespace, and tells delivery
// what they say together. Lives on the network thread, but for its construction.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/executor.hpp"
#include "base/random.hpp"
#include "cluster/access.hpp"
#include "delivery/callback_dispatcher.hpp"
#include "delivery/publisher.hpp"
#include "stream/config.hpp"
#include "stream/server_states.hpp"
#include "stream/session.hpp"
#include "stream/statistics.hpp"
#include "sync/backoff.hpp"

namespace ksr::stream {

struct EngineParts {
  Executor& executor;
  ServerStates& memories;
  std::unique_ptr<Random> random;
  Config config;
  std::shared_ptr<cluster::Access> access;
  std::shared_ptr<delivery::Publisher> publisher;
  std::shared_ptr<delivery::CallbackDispatcher> dispatcher;
  std::shared_ptr<Statistics> statistics;
};

class Engine final : public std::enable_shared_from_this<Engine>, private SessionOwner {
 public:
  explicit Engine(EngineParts parts);
  ~Engine() override;

  void start();
  // Nothing is sent or told afterwards.
  void cancel();
  void on_clock_jump();
  // What the engine, or an unknown task, was about to do is lost with the exception that `error` tells of: what is
  // under way ends with this error, and is tried again after the backoff.
  void on_lost(const Error& error);
  // Sets timers that could not be set when they should have been.
  void look_again();

 private:
  // Runs `step`; an exception of it is this stream's alone.
  template <class Step>
  void guarded(Step&& step);
  void resolve();
  void on_resolved(Expected<std::vector<cluster::Resource>> resources);
  void on_unresolved(const Error& error);
  void run_sessions();
  std::shared_ptr<sync::ServerState> memory();

  void on_session_state() override;
  void on_session_counters() override { publish_statistics(); }
  void on_session_synced() override;
  void on_fatal() override;

  void tell_state();
  void publish_statistics();
  sync::State combined_state() const;

  EngineParts parts_;
  std::vector<cluster::Resource> resources_;
  PendingCall resolving_;
  sync::Backoff backoff_;
  std::unique_ptr<Timer> retry_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::optional<sync::State> told_;
  std::optional<Instant> resolve_again_at_;
  std::uint64_t resolve_errors_ = 0;
  bool cancelled_ = false;
};

}  // namespace ksr::stream

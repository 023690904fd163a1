// `Runtime` is what all streams of the process have in common; used by Stream, Informer and open_client(). Made at the
// first open, never destroyed: a host may exit at any moment. Lives on the network thread, unless said otherwise.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "base/executor.hpp"
#include "base/instant.hpp"
#include "base/random.hpp"
#include "cluster/access.hpp"
#include "stream/informer.hpp"
#include "sync/server_state.hpp"
#include "transport/transport.hpp"

namespace ksr::stream {

class Engine;

// What was learned about each server, as long as a stream of it is open.
class ServerStates {
 public:
  std::shared_ptr<sync::ServerState> of(const cluster::Access& access);
  // Drops the entries of servers that no stream uses any more.
  void remove_unused();

 private:
  std::unordered_map<const cluster::Access*, std::weak_ptr<sync::ServerState>> states_;
};

// Detects that the machine was suspended: CLOCK_BOOTTIME goes on meanwhile, CLOCK_MONOTONIC stands still.
class SuspendWatch {
 public:
  // `offset`: boot time minus monotonic time, now. True when it has grown by a second or more since the last call.
  bool suspended(Milliseconds offset) {
    const bool grown = last_ && offset - *last_ >= std::chrono::seconds(1);
    last_ = offset;
    return grown;
  }
  // The next call has nothing to compare with.
  void reset() { last_.reset(); }

 private:
  std::optional<Milliseconds> last_;
};

class Runtime {
 public:
  // The one of the process; starts the network thread. Throws std::bad_alloc when no thread can be had.
  static Runtime& instance();

  using MakeRandom = std::function<std::unique_ptr<Random>()>;
  // `make_random`: for each engine its own; a SystemRandom where it is empty.
  Runtime(Executor& executor, transport::Transport& transport, MakeRandom make_random = {})
      : executor_(executor), transport_(transport), make_random_(std::move(make_random)) {}

  Executor& executor() noexcept { return executor_; }
  transport::Transport& transport() noexcept { return transport_; }
  std::unique_ptr<Random> random() const;
  Informers& informers() noexcept { return informers_; }

  // --- network thread only ------------------------------------------------------------------------------------------
  ServerStates& server_states() noexcept { return server_states_; }
  // Takes the engine out of `list_node`, a list of one, so that this cannot fail before it has it.
  void add(std::list<std::shared_ptr<Engine>>& list_node);
  void remove(const std::shared_ptr<Engine>& engine);
  // See NetworkThread::on_lost_task.
  void on_lost_task(const Error& error);

 private:
  // Notifies all engines when the machine was suspended since the last call.
  void check_clock();

  Executor& executor_;
  transport::Transport& transport_;
  const MakeRandom make_random_;
  Informers informers_;
  ServerStates server_states_;
  std::list<std::shared_ptr<Engine>> engines_;
  SuspendWatch suspend_watch_;
  std::unique_ptr<Timer> next_check_;
};

}  // namespace ksr::stream

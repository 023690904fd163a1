// What all streams of the process share. Made at the first open, never destroyed: a host may exit at any moment.
#pragma once

#include <list>
#include <memory>

#include "base/executor.hpp"
#include "stream/server_states.hpp"
#include "stream/suspend_watch.hpp"
#include "transport/transport.hpp"

namespace ksr::stream {

class Engine;

class Runtime {
 public:
  // The one of the process; starts the network thread. Throws std::bad_alloc when no thread can be had.
  static Runtime& instance();

  Runtime(Executor& executor, transport::Transport& transport) : executor_(executor), transport_(transport) {}

  Executor& executor() noexcept { return executor_; }
  transport::Transport& transport() noexcept { return transport_; }

  // --- network thread only ------------------------------------------------------------------------------------------
  ServerStates& memories() noexcept { return memories_; }
  // Takes the engine out of `seat`, a list of one, so that this cannot fail before it has it.
  void add(std::list<std::shared_ptr<Engine>>& list_node);
  void remove(const std::shared_ptr<Engine>& engine);

 private:
  // The machine may have slept between two looks: then all engines are told.
  void look_at_clock();
  // See NetworkThread::on_lost_task.
  void on_lost_task(const Error& error);

  Executor& executor_;
  transport::Transport& transport_;
  ServerStates memories_;
  std::list<std::shared_ptr<Engine>> engines_;
  SuspendWatch suspend_watch_;
  std::unique_ptr<Timer> next_look_;
};

}  // namespace ksr::stream

// One open stream as the host holds it: any thread may call it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

#include "base/expected.hpp"
#include "delivery/callback_dispatcher.hpp"
#include "delivery/host.hpp"
#include "delivery/publisher.hpp"
#include "stream/config.hpp"
#include "stream/runtime.hpp"
#include "stream/statistics.hpp"

namespace ksr::stream {

class Engine;

class Stream {
 public:
  // Checks the configuration, makes the parts and their threads. `host` is gone when this fails.
  static Expected<std::shared_ptr<Stream>> create(Config config, std::unique_ptr<delivery::Host> host,
                                                  Runtime& runtime);
  ~Stream();

  // From here on callbacks come.
  void start();

  // Instead of start: the host goes without having been called.
  void abandon();
  void cancel();
  Status close();
  // `gone` runs once the host is gone.
  void close_async(std::function<void()> gone);
  Status wait_synced(std::optional<Milliseconds> timeout) { return dispatcher_->wait_synced(timeout); }
  delivery::SnapshotRef latest() { return publisher_->latest(); }
  int fd() const noexcept { return dispatcher_->fd(); }
  std::int64_t dispatch() { return dispatcher_->dispatch(); }
  // Empty: no such statistic.
  std::optional<std::uint64_t> statistic(std::string_view name);

 private:
  Stream(Runtime& runtime, std::shared_ptr<delivery::Publisher> publisher,
         std::shared_ptr<delivery::CallbackDispatcher> dispatcher, std::shared_ptr<Statistics> statistics,
         std::shared_ptr<Engine> engine);
  void stop_engine();

  Runtime& runtime_;
  const std::shared_ptr<delivery::Publisher> publisher_;
  const std::shared_ptr<delivery::CallbackDispatcher> dispatcher_;
  const std::shared_ptr<Statistics> statistics_;
  // The engine belongs to the network thread, where its last reference is dropped: tasks that carry this pointer need
  // no memory of their own, so that the end of a stream cannot fail.
  struct EngineHandle {
    std::shared_ptr<Engine> engine;
    std::list<std::shared_ptr<Engine>> list_node;
  };
  EngineHandle* const engine_handle_;
  std::atomic<bool> stopping_{false};
};

}  // namespace ksr::stream

// `Stream` is one open stream as the host has it; used by open() and abi/. Any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"
#include "cluster/access.hpp"
#include "delivery/callback_dispatcher.hpp"
#include "delivery/host.hpp"
#include "delivery/publisher.hpp"
#include "stream/config.hpp"
#include "stream/informer.hpp"
#include "stream/last_error.hpp"
#include "stream/runtime.hpp"
#include "stream/statistics.hpp"

namespace ksr::stream {

// What the streams of a client share.
struct ClientParts {
  std::shared_ptr<cluster::Access> access;
  // What namespace=@context stands for.
  std::string context_namespace;
  delivery::SharedDelivery delivery;
};

class Stream {
 public:
  // Checks the configuration, makes the parts and their threads. `host` is destroyed when this fails. With `client` the
  // configuration's connection is not looked at.
  static Expected<std::shared_ptr<Stream>> create(Config config, std::unique_ptr<delivery::Host> host, Runtime& runtime,
                                                  std::optional<ClientParts> client = std::nullopt);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Callbacks begin.
  void start();

  // Instead of start: destroys the host without any other callback.
  void abandon();
  void cancel();
  Status close();
  // `on_ended` runs after the host is destroyed.
  void close_async(std::function<void()> on_ended);
  Status wait_synced(std::optional<Milliseconds> timeout) { return dispatcher_->wait_synced(timeout); }
  Status wait_until(const delivery::CallbackDispatcher::Test& test, std::optional<Milliseconds> timeout) {
    return dispatcher_->wait_until(test, timeout);
  }
  delivery::SnapshotRef latest() { return publisher_->latest(); }
  int fd() const noexcept { return dispatcher_->fd(); }
  std::int64_t dispatch() { return dispatcher_->dispatch(); }
  // Empty: there is no such statistic.
  std::optional<std::uint64_t> statistic(std::string_view name);
  // What keeps the stream from being LIVE; empty: nothing is wrong.
  std::optional<delivery::ErrorReport> last_error() const;

 private:
  Stream(std::shared_ptr<delivery::Publisher> publisher, const Subscriber& subscriber,
         std::unique_ptr<Subscription> subscription);
  bool is_over() const;

  const std::shared_ptr<delivery::Publisher> publisher_;
  const std::shared_ptr<delivery::CallbackDispatcher> dispatcher_;
  const std::shared_ptr<OwnStatistics> statistics_;
  const std::shared_ptr<LastError> last_error_;
  const std::unique_ptr<Subscription> subscription_;
};

}  // namespace ksr::stream

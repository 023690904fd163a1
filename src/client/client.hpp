// `Client` is one open client as the host has it: a connection, and the delivery of callbacks that all its requests,
// channels and streams share; used by open_client() and abi/. Any thread; `mutex_` guards its state.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "base/mutex.hpp"
#include "base/random.hpp"
#include "client/channel_handle.hpp"
#include "client/hosts.hpp"
#include "client/request_handle.hpp"
#include "cluster/access.hpp"
#include "cluster/connection_options.hpp"
#include "delivery/callback_queue.hpp"
#include "delivery/callback_runner.hpp"
#include "delivery/delivery_options.hpp"
#include "delivery/host.hpp"
#include "json/list_reader.hpp"
#include "request/api_call.hpp"
#include "request/params.hpp"
#include "stream/config.hpp"
#include "stream/runtime.hpp"
#include "stream/stream_registry.hpp"

namespace ksr::client {

struct ClientOptions {
  cluster::ConnectionOptions connection;
  delivery::Options delivery;
  // Of the objects of its streams.
  std::size_t max_object_size = json::ReaderOptions().max_object_size;
};

class Client final : public Logger, public delivery::CallbackSource, public std::enable_shared_from_this<Client> {
 public:
  // Reads the files that the options name, on the calling thread. `host` is destroyed when this fails.
  static Expected<std::shared_ptr<Client>> create(const ClientOptions& options, std::unique_ptr<ClientHost> host,
                                                  stream::Runtime& runtime);
  ~Client() override;
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // --- requests -----------------------------------------------------------------------------------------------------
  // Sends a request. `number`: the handle that the host will have, under which it is put into the registry; 0 without
  // one. `host` is destroyed when this fails.
  Expected<std::shared_ptr<RequestHandle>> open(Handle number, const request::Params& params,
                                                std::unique_ptr<RequestHost> host) KSR_EXCLUDES(mutex_);
  // Opens a request, waits for it and closes it.
  Expected<request::ResponseRef> call(const request::Params& params) KSR_EXCLUDES(mutex_);
  // As RequestHandle::close; the handle is none any more then.
  Status close_request(RequestHandle& request) KSR_EXCLUDES(mutex_);

  // --- channels -----------------------------------------------------------------------------------------------------
  // As open() and close_request().
  Expected<void> open_channel(Handle number, request::Params params, std::unique_ptr<DataHost> host)
      KSR_EXCLUDES(mutex_);
  Status close_channel(ChannelHandle& channel) KSR_EXCLUDES(mutex_);

  // --- streams ------------------------------------------------------------------------------------------------------
  // Opens a stream over the client's connection and in its delivery, under `number` in the registry. `host` is
  // destroyed when this fails.
  Expected<void> open_stream(Handle number, stream::Config config, std::unique_ptr<delivery::Host> host)
      KSR_EXCLUDES(mutex_);

  // --- the client itself --------------------------------------------------------------------------------------------
  // For a client that could not be opened: destroys the host without any other callback.
  void abandon() KSR_EXCLUDES(mutex_);
  // Cancels all requests, channels and streams; no other can be opened.
  void cancel() KSR_EXCLUDES(mutex_);
  Status close() KSR_EXCLUDES(mutex_);
  // `on_ended` runs after the host is destroyed.
  void close_async(std::function<void()> on_ended) KSR_EXCLUDES(mutex_);
  int fd() const noexcept { return runner_->fd(); }
  std::int64_t dispatch() { return runner_->dispatch(); }
  // Empty: there is no such statistic.
  std::optional<std::uint64_t> statistic(std::string_view name) KSR_EXCLUDES(mutex_);

  bool wants(LogLevel level) const noexcept override;
  void log(LogLevel level, std::string line) override KSR_EXCLUDES(mutex_);
  Turn take_turn() override KSR_EXCLUDES(mutex_);

 private:
  Client(const ClientOptions& options, std::string context_namespace, std::unique_ptr<ClientHost> host,
         stream::Runtime& runtime, std::shared_ptr<cluster::Access> access,
         std::shared_ptr<delivery::CallbackRunner> runner);

  void forget(RequestHandle& request) KSR_EXCLUDES(mutex_);
  void forget(ChannelHandle& channel) KSR_EXCLUDES(mutex_);
  Expected<channel::ChannelTarget> target_of(const request::Params& params) const;
  void add_stream(Handle number) KSR_REQUIRES(mutex_);
  // The last callback of a stream is over.
  void on_stream_ended() KSR_EXCLUDES(mutex_);
  std::vector<std::pair<Handle, std::shared_ptr<stream::Stream>>> open_streams() KSR_EXCLUDES(mutex_);
  static void close_stream(Handle number, stream::Stream& stream);
  // Ends all requests and streams, then the client.
  void begin_end() KSR_EXCLUDES(mutex_);
  // What is left to do before the client can end.
  bool busy() const KSR_REQUIRES(mutex_) { return !requests_.empty() || !channels_.empty() || live_streams_ > 0; }
  void end_when_idle() KSR_EXCLUDES(mutex_);
  bool deliver_log_line() KSR_EXCLUDES(mutex_);
  void finish() KSR_EXCLUDES(mutex_);

  const ClientOptions options_;
  const std::string context_namespace_;
  stream::Runtime& runtime_;
  const std::shared_ptr<cluster::Access> access_;
  const std::shared_ptr<delivery::CallbackRunner> runner_;
  const std::shared_ptr<Random> random_;
  const std::shared_ptr<request::CallCounts> counts_ = std::make_shared<request::CallCounts>();
  const std::shared_ptr<channel::ServerProtocols> protocols_ = std::make_shared<channel::ServerProtocols>();
  std::atomic<bool> log_wanted_;
  // Used in turns alone.
  std::unique_ptr<ClientHost> host_;

  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::unordered_map<const RequestHandle*, std::shared_ptr<RequestHandle>> requests_ KSR_GUARDED_BY(mutex_);
  std::unordered_map<const ChannelHandle*, std::shared_ptr<ChannelHandle>> channels_ KSR_GUARDED_BY(mutex_);
  // The handles of its streams, some of which may be closed.
  std::vector<Handle> streams_ KSR_GUARDED_BY(mutex_);
  // Their callbacks are not over.
  std::size_t live_streams_ KSR_GUARDED_BY(mutex_) = 0;
  delivery::CallbackQueue log_lines_ KSR_GUARDED_BY(mutex_);
  std::function<void()> on_ended_ KSR_GUARDED_BY(mutex_);
  bool cancelled_ KSR_GUARDED_BY(mutex_) = false;
  bool closing_ KSR_GUARDED_BY(mutex_) = false;
  bool ended_ KSR_GUARDED_BY(mutex_) = false;
};

using ClientRegistry = HandleRegistry<Client>;

// The request of a handle, with its client, which closes it.
struct OpenRequest {
  std::shared_ptr<Client> client;
  std::shared_ptr<RequestHandle> request;
};
using RequestRegistry = HandleRegistry<OpenRequest>;

// The same of a channel.
struct OpenChannel {
  std::shared_ptr<Client> client;
  std::shared_ptr<ChannelHandle> channel;
};
using ChannelRegistry = HandleRegistry<OpenChannel>;

// Makes a client on the process's Runtime and puts it into the registry under `number`. `host` is destroyed when this
// fails.
Expected<void> open_client(Handle number, const ClientOptions& options, std::unique_ptr<ClientHost> host);

}  // namespace ksr::client

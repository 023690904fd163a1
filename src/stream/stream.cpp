#include "stream/stream.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/log_buffer.hpp"
#include "cluster/access.hpp"
#include "stream/engine.hpp"
#include "stream/sharing_key.hpp"
#include "stream/statistic_names.hpp"

namespace ksr::stream {
namespace {

Expected<void> check_fields(const json::FieldOptions& fields) {
  if (!fields.keep.empty() && !fields.drop.empty()) {
    return Error{Status::invalid, "config key drop_fields: expected one of keep_fields and drop_fields, not both"};
  }
  for (const std::size_t column : fields.index) {
    if (column < fields.columns.size()) continue;
    return Error{Status::invalid,
                 "config key index: expected numbers of columns, from 0, of which the config key "
                 "columns has " +
                     std::to_string(fields.columns.size()) + "; got " + std::to_string(column)};
  }
  return {};
}

Expected<void> check(const Config& config) {
  if (config.query.resources.empty()) {
    return Error{Status::invalid, "config key resource: not set; expected a resource such as v1/pods"};
  }
  if (config.sync.backoff_max < config.sync.backoff_initial) {
    return Error{Status::invalid, "config key backoff_max: expected at least backoff_initial"};
  }
  return check_fields(config.fields);
}

EngineParts engine_parts(const Config& config, std::shared_ptr<cluster::Access> access, Runtime& runtime) {
  auto view = std::make_shared<delivery::SharedView>(
      config.limit, std::max<std::size_t>(config.query.namespaces.size(), 1), config.fields.index);
  EngineParts parts{runtime.executor(), runtime.server_states(),       runtime.random(), config, std::move(access),
                    std::move(view),    std::make_shared<Statistics>()};
  // The rest of it is in the Access: an engine, which may outlive the stream that made it, holds no secrets.
  parts.config.connection = cluster::ConnectionOptions();
  parts.config.connection.request_timeout = config.connection.request_timeout;
  return parts;
}

// Abandons the dispatcher of a stream that could not be made.
class AbandonOnFailure {
 public:
  explicit AbandonOnFailure(delivery::CallbackDispatcher& dispatcher) : dispatcher_(&dispatcher) {}
  ~AbandonOnFailure() {
    if (dispatcher_ != nullptr) dispatcher_->abandon();
  }
  AbandonOnFailure(const AbandonOnFailure&) = delete;
  AbandonOnFailure& operator=(const AbandonOnFailure&) = delete;
  void finish() noexcept { dispatcher_ = nullptr; }

 private:
  delivery::CallbackDispatcher* dispatcher_;
};

}  // namespace

Expected<std::shared_ptr<Stream>> Stream::create(Config config, std::unique_ptr<delivery::Host> host, Runtime& runtime,
                                                 std::optional<ClientParts> client) {
  if (Expected<void> checked = check(config); !checked) return std::move(checked).error();
  LogBuffer early_lines;
  std::shared_ptr<cluster::Access> access;
  std::string name_space;
  if (client) {
    access = std::move(client->access);
    name_space = std::move(client->context_namespace);
  } else {
    const cluster::AccessEnvironment environment{runtime.executor(), runtime.transport()};
    auto opened = cluster::open_access(config.connection, environment, early_lines, &name_space);
    if (!opened) return std::move(opened).error();
    access = *std::move(opened);
  }
  if (config.query.namespaces_of_context) config.query.namespaces = {name_space};
  const std::string key = config.share ? sharing_key(config, *access) : std::string();
  auto subscription = std::make_unique<Subscription>(
      runtime, key, [&] { return std::make_shared<Informer>(runtime, engine_parts(config, access, runtime)); });
  auto publisher = std::make_shared<delivery::Publisher>(subscription->informer().view());
  auto dispatcher = delivery::CallbackDispatcher::create(
      config.delivery, std::move(host), publisher, client ? std::move(client->delivery) : delivery::SharedDelivery{});
  if (!dispatcher) return std::move(dispatcher).error();
  // Whatever is thrown from here on, the host is destroyed without a callback before this returns.
  AbandonOnFailure abandon_on_failure(**dispatcher);
  (*dispatcher)->blank(access->secrets());
  early_lines.replay_to(**dispatcher);
  access->add_logger(*dispatcher);
  const Subscriber subscriber{*dispatcher, std::make_shared<OwnStatistics>(),
                              std::make_shared<LastError>(access->secrets())};
  subscription->set_subscriber(subscriber);
  std::shared_ptr<Stream> stream(new Stream(std::move(publisher), subscriber, std::move(subscription)));
  abandon_on_failure.finish();
  return stream;
}

Stream::Stream(std::shared_ptr<delivery::Publisher> publisher, const Subscriber& subscriber,
               std::unique_ptr<Subscription> subscription)
    : publisher_(std::move(publisher)),
      dispatcher_(subscriber.dispatcher),
      statistics_(subscriber.statistics),
      last_error_(subscriber.last_error),
      subscription_(std::move(subscription)) {}

Stream::~Stream() = default;

void Stream::start() {
  subscription_->start();
}

void Stream::abandon() {
  dispatcher_->abandon();
  publisher_->leave();
  subscription_->leave();
}

void Stream::cancel() {
  dispatcher_->cancel();
  // ksr_latest goes on until the stream is closed.
  publisher_->freeze();
  subscription_->leave();
}

Status Stream::close() {
  if (dispatcher_->is_inside()) return Status::would_deadlock;
  // Before it waits for a callback, for however long that runs.
  cancel();
  const Status closed = dispatcher_->close();
  publisher_->leave();
  return closed;
}

void Stream::close_async(std::function<void()> on_ended) {
  publisher_->leave();
  subscription_->leave();
  dispatcher_->close_async(std::move(on_ended));
}

// Cancelled or closed, or failed for good.
bool Stream::is_over() const {
  return subscription_->left() || dispatcher_->is_ending();
}

std::optional<std::uint64_t> Stream::statistic(std::string_view name) {
  return read_statistic(name, {subscription_->informer(), is_over(), *statistics_, *dispatcher_});
}

std::optional<delivery::ErrorReport> Stream::last_error() const {
  return last_error_->get(std::chrono::steady_clock::now());
}

}  // namespace ksr::stream

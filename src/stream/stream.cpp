#include "stream/stream.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/log_buffer.hpp"
#include "base/system_random.hpp"
#include "cluster/access.hpp"
#include "stream/engine.hpp"
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
  auto publisher = std::make_shared<delivery::Publisher>(
      config.limit, std::max<std::size_t>(config.query.namespaces.size(), 1), config.fields.index);
  auto dispatcher = delivery::CallbackDispatcher::create(
      config.delivery, std::move(host), publisher, client ? std::move(client->delivery) : delivery::SharedDelivery{});
  if (!dispatcher) return std::move(dispatcher).error();
  // Whatever is thrown from here on, the host is destroyed without a callback before this returns.
  AbandonOnFailure abandon_on_failure(**dispatcher);
  (*dispatcher)->blank(access->secrets());
  early_lines.replay_to(**dispatcher);
  access->add_logger(*dispatcher);
  auto statistics = std::make_shared<Statistics>();
  auto last_error = std::make_shared<LastError>(access->secrets());
  EngineParts parts{runtime.executor(),
                    runtime.server_states(),
                    std::make_unique<SystemRandom>(),
                    std::move(config),
                    std::move(access),
                    publisher,
                    *dispatcher,
                    statistics,
                    last_error};
  auto engine = std::make_shared<Engine>(std::move(parts));
  std::shared_ptr<Stream> stream(new Stream(runtime, std::move(publisher), *dispatcher, std::move(statistics),
                                            std::move(last_error), std::move(engine)));
  abandon_on_failure.finish();
  return stream;
}

Stream::Stream(Runtime& runtime, std::shared_ptr<delivery::Publisher> publisher,
               std::shared_ptr<delivery::CallbackDispatcher> dispatcher, std::shared_ptr<Statistics> statistics,
               std::shared_ptr<LastError> last_error, std::shared_ptr<Engine> engine)
    : runtime_(runtime),
      publisher_(std::move(publisher)),
      dispatcher_(std::move(dispatcher)),
      statistics_(std::move(statistics)),
      last_error_(std::move(last_error)),
      engine_handle_(new EngineHandle{engine, {engine}}) {}

Stream::~Stream() {
  runtime_.executor().post([handle = engine_handle_] { delete handle; });
}

void Stream::start() {
  // The handle is deleted by a later task than this one.
  runtime_.executor().post([handle = engine_handle_, &runtime = runtime_] {
    const std::shared_ptr<Engine> engine = handle->engine;
    runtime.add(handle->list_node);
    engine->start();
  });
}

void Stream::abandon() {
  dispatcher_->abandon();
  stop_engine();
}

void Stream::cancel() {
  dispatcher_->cancel();
  stop_engine();
}

Status Stream::close() {
  const Status closed = dispatcher_->close();
  if (closed == Status::ok) stop_engine();
  return closed;
}

void Stream::close_async(std::function<void()> on_ended) {
  stop_engine();
  dispatcher_->close_async(std::move(on_ended));
}

void Stream::stop_engine() {
  if (stopping_.exchange(true)) return;
  statistics_->state.store(sync::State::closed, std::memory_order_relaxed);
  // Posted before the destructor's task, which deletes the handle.
  runtime_.executor().post([handle = engine_handle_, &runtime = runtime_] {
    const std::shared_ptr<Engine> engine = handle->engine;
    try {
      engine->cancel();
    } catch (...) {
      // It is cancelled; what it holds is destroyed with it.
    }
    runtime.remove(engine);
  });
}

std::optional<std::uint64_t> Stream::statistic(std::string_view name) {
  return read_statistic(name, *statistics_, *publisher_, *dispatcher_);
}

std::optional<delivery::ErrorReport> Stream::last_error() const {
  return last_error_->get(std::chrono::steady_clock::now());
}

}  // namespace ksr::stream

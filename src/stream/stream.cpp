#include "stream/stream.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "cluster/access.hpp"
#include "stream/engine.hpp"
#include "stream/log_buffer.hpp"
#include "stream/statistic_names.hpp"
#include "stream/system_random.hpp"

namespace ksr::stream {
namespace {

Expected<void> check(const Config& config) {
  if (config.query.resources.empty()) {
    return Error{Status::invalid, "config key resource: not set; expected a resource such as v1/pods"};
  }
  if (config.sync.backoff_max < config.sync.backoff_initial) {
    return Error{Status::invalid, "config key backoff_max: expected at least backoff_initial"};
  }
  return {};
}

// Abandons the courier of a stream that could not be made.
class Unfinished {
 public:
  explicit Unfinished(delivery::Courier& courier) : courier_(&courier) {}
  ~Unfinished() {
    if (courier_ != nullptr) courier_->abandon();
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  void finish() noexcept { courier_ = nullptr; }

 private:
  delivery::Courier* courier_;
};

}  // namespace

Expected<std::shared_ptr<Stream>> Stream::create(Config config, std::unique_ptr<delivery::Host> host,
                                                 Runtime& runtime) {
  if (Expected<void> checked = check(config); !checked) return std::move(checked).error();
  LogBuffer early_lines;
  const cluster::AccessEnvironment environment{runtime.executor(), runtime.transport()};
  auto access = cluster::open_access(config.connection, environment, early_lines);
  if (!access) return std::move(access).error();
  if (config.query.namespaces_of_context) {
    auto name_space = cluster::default_namespace(config.connection, early_lines);
    if (!name_space) return std::move(name_space).error();
    config.query.namespaces = {*std::move(name_space)};
  }
  auto publisher =
      std::make_shared<delivery::Publisher>(config.limit, std::max<std::size_t>(config.query.namespaces.size(), 1));
  auto courier = delivery::Courier::create(config.delivery, std::move(host), publisher);
  if (!courier) return std::move(courier).error();
  // Whatever is thrown from here on, the host is gone when this has returned, and was told nothing.
  Unfinished unfinished(**courier);
  early_lines.replay_to(**courier);
  (*access)->listen(*courier);
  auto statistics = std::make_shared<Statistics>();
  EngineParts parts{runtime.executor(),
                    runtime.memories(),
                    std::make_unique<SystemRandom>(),
                    std::move(config),
                    std::move(access).value(),
                    publisher,
                    *courier,
                    statistics};
  auto engine = std::make_shared<Engine>(std::move(parts));
  std::shared_ptr<Stream> stream(
      new Stream(runtime, std::move(publisher), *courier, std::move(statistics), std::move(engine)));
  unfinished.finish();
  return stream;
}

Stream::Stream(Runtime& runtime, std::shared_ptr<delivery::Publisher> publisher,
               std::shared_ptr<delivery::Courier> courier, std::shared_ptr<Statistics> statistics,
               std::shared_ptr<Engine> engine)
    : runtime_(runtime),
      publisher_(std::move(publisher)),
      courier_(std::move(courier)),
      statistics_(std::move(statistics)),
      farewell_(new Farewell{engine, {engine}}) {}

Stream::~Stream() {
  runtime_.executor().post([farewell = farewell_] { delete farewell; });
}

void Stream::start() {
  // Gone later than this task, since it goes by a later one.
  runtime_.executor().post([farewell = farewell_, &runtime = runtime_] {
    const std::shared_ptr<Engine> engine = farewell->engine;
    runtime.add(farewell->seat);
    engine->start();
  });
}

void Stream::abandon() {
  courier_->abandon();
  stop_engine();
}

void Stream::cancel() {
  courier_->cancel();
  stop_engine();
}

Status Stream::close() {
  const Status closed = courier_->close();
  if (closed == Status::ok) stop_engine();
  return closed;
}

void Stream::close_async(std::function<void()> gone) {
  stop_engine();
  courier_->close_async(std::move(gone));
}

void Stream::stop_engine() {
  if (stopping_.exchange(true)) return;
  statistics_->state.store(static_cast<std::int32_t>(sync::State::closed), std::memory_order_relaxed);
  // Posted before the farewell, so that it is there.
  runtime_.executor().post([farewell = farewell_, &runtime = runtime_] {
    const std::shared_ptr<Engine> engine = farewell->engine;
    try {
      engine->cancel();
    } catch (...) {
      // It is cancelled; what it held is dropped with it.
    }
    runtime.remove(engine);
  });
}

std::optional<std::uint64_t> Stream::statistic(std::string_view name) {
  return read_statistic(name, *statistics_, *publisher_, *courier_);
}

}  // namespace ksr::stream

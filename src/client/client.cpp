#include "client/client.hpp"

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "base/log_buffer.hpp"
#include "base/system_random.hpp"
#include "base/text.hpp"
#include "cluster/resource.hpp"
#include "delivery/host_call.hpp"
#include "request/call_plan.hpp"
#include "request/channel_keys.hpp"
#include "stream/fork_guard.hpp"
#include "stream/open.hpp"
#include "transport/exit_guard.hpp"

namespace ksr::client {
namespace {

// A client with so many streams never looks for those that are closed.
constexpr std::size_t kFewStreams = 16;

// Tells the client once that a stream is over: after its last callback, or because it could not be opened.
class StreamLife {
 public:
  explicit StreamLife(std::function<void()> over) : over_(std::move(over)) {}
  ~StreamLife() { end(); }
  StreamLife(const StreamLife&) = delete;
  StreamLife& operator=(const StreamLife&) = delete;

  void end() {
    if (!ended_.exchange(true)) over_();
  }

 private:
  const std::function<void()> over_;
  std::atomic<bool> ended_{false};
};

// NULL where it is none of them.
template <class Opened>
std::shared_ptr<Opened> taken_out(std::unordered_map<const Opened*, std::shared_ptr<Opened>>& all, const Opened& one) {
  const auto found = all.find(&one);
  if (found == all.end()) return nullptr;
  std::shared_ptr<Opened> taken = std::move(found->second);
  all.erase(found);
  return taken;
}

// Called with the client's lock: a close that comes meanwhile sees the whole of it. Where it fails nothing is left.
template <class Open, class Opened>
void admit(std::unordered_map<const Opened*, std::shared_ptr<Opened>>& all, std::shared_ptr<Client> client,
           const std::shared_ptr<Opened>& opened) {
  HandleRegistry<Open>& registry = HandleRegistry<Open>::instance();
  const Handle number = opened->number();
  const auto place = all.emplace(opened.get(), opened).first;
  try {
    // A callback may ask for it as soon as it starts.
    if (number != 0) registry.put(number, std::make_shared<Open>(Open{std::move(client), opened}));
    opened->start();
  } catch (...) {
    registry.remove(number);
    all.erase(place);
    throw;
  }
}

Error cancelled_error() {
  return {Status::cancelled, "the client was cancelled or closed"};
}

}  // namespace

Expected<std::shared_ptr<Client>> Client::create(const ClientOptions& options, std::unique_ptr<ClientHost> host,
                                                 stream::Runtime& runtime) {
  LogBuffer early_lines;
  std::string name_space;
  auto access =
      cluster::open_access(options.connection, {runtime.executor(), runtime.transport()}, early_lines, &name_space);
  if (!access) return std::move(access).error();
  auto runner = delivery::CallbackRunner::create(options.delivery);
  if (!runner) return std::move(runner).error();
  std::shared_ptr<Client> client;
  try {
    client.reset(new Client(options, std::move(name_space), std::move(host), runtime, *access, *runner));
    early_lines.replay_to(*client);
    (*access)->add_logger(std::weak_ptr<Logger>(client));
  } catch (...) {
    if (client) {
      client->abandon();
    } else {
      (*runner)->stop();
      (*runner)->join();
    }
    throw;
  }
  return client;
}

Client::Client(const ClientOptions& options, std::string context_namespace, std::unique_ptr<ClientHost> host,
               stream::Runtime& runtime, std::shared_ptr<cluster::Access> access,
               std::shared_ptr<delivery::CallbackRunner> runner)
    : options_(options),
      context_namespace_(std::move(context_namespace)),
      runtime_(runtime),
      access_(std::move(access)),
      runner_(std::move(runner)),
      random_(std::make_shared<SystemRandom>()),
      log_wanted_(host->wants_log()),
      host_(std::move(host)) {}

Client::~Client() = default;

// ---- requests -------------------------------------------------------------------------------------------------------

Expected<std::shared_ptr<RequestHandle>> Client::open(Handle number, const request::Params& params,
                                                      std::unique_ptr<RequestHost> host) {
  if (Expected<void> fine = request::check_params(params); !fine) return std::move(fine).error();
  const std::string& name_space = params.namespace_of_context ? context_namespace_ : params.name_space;
  auto forget_it = [self = weak_from_this()](RequestHandle& ended) {
    if (const auto client = self.lock()) client->forget(ended);
  };
  auto handle = std::make_shared<RequestHandle>(
      RequestHandle::Owner{runtime_.executor(), runner_, std::move(forget_it)}, number, std::move(host));
  handle->prepare({runtime_.executor(), random_, access_, counts_}, params, name_space);
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return cancelled_error();
    admit<OpenRequest>(requests_, shared_from_this(), handle);
  }
  return handle;
}

Expected<request::ResponseRef> Client::call(const request::Params& params) {
  auto opened = open(0, params, nullptr);
  if (!opened) return std::move(opened).error();
  RequestHandle& request = **opened;
  std::optional<RequestHandle::Outcome> outcome = request.wait(std::nullopt);
  forget(request);
  return *std::move(outcome);
}

Status Client::close_request(RequestHandle& request) {
  const Status closed = request.close();
  if (closed == Status::ok) forget(request);
  return closed;
}

void Client::forget(RequestHandle& request) {
  RequestRegistry::instance().remove(request.number());
  std::shared_ptr<RequestHandle> last;  // dropped after the lock
  {
    const MutexLock lock(mutex_);
    last = taken_out(requests_, request);
  }
  if (last) end_when_idle();
}

// ---- channels -------------------------------------------------------------------------------------------------------

// Any path, or an object by the full name of its resource: what that is needs no look-up.
Expected<channel::ChannelTarget> Client::target_of(const request::Params& params) const {
  channel::ChannelTarget target;
  target.name = params.name;
  const std::string& name_space = params.namespace_of_context ? context_namespace_ : params.name_space;
  target.name_space = name_space;
  target.query = params.query;
  const bool raw =
      params.channel.kind == channel::ChannelKind::websocket || params.channel.kind == channel::ChannelKind::http;
  if (!raw) {
    for (const auto& [name, value] : params.headers) target.headers.push_back({name, value});
    return target;
  }
  std::optional<cluster::Resource> resource;
  if (!params.resources.empty()) {
    auto named = cluster::parse_resource(params.resources.front());
    if (!named) return std::move(named).error();
    if (params.resources.size() > 1 || !*named) {
      return Error{Status::invalid,
                   "params key resource: expected one full name such as v1/pods for this kind of channel"};
    }
    resource = *std::move(named);
  }
  auto plan = request::plan_call(params, resource ? &*resource : nullptr, name_space);
  if (!plan) return std::move(plan).error();
  target.name.clear();
  target.method = std::move(plan->method);
  target.target = std::move(plan->target);
  // What comes is bytes of any kind, unless the host asks for one.
  const bool wants_kind = std::any_of(params.headers.begin(), params.headers.end(),
                                      [](const auto& header) { return equal_ignoring_case(header.first, "accept"); });
  for (transport::Header& header : plan->headers) {
    const bool standard = header.name == "Accept" && !wants_kind;
    target.headers.push_back(standard ? transport::Header{"Accept", "*/*"} : std::move(header));
  }
  target.body = std::move(plan->body);
  target.below_headlamp_url = params.below_headlamp_url;
  return target;
}

Expected<void> Client::open_channel(Handle number, request::Params params, std::unique_ptr<DataHost> host) {
  if (Expected<void> fine = request::check_channel(params); !fine) return std::move(fine).error();
  auto target = target_of(params);
  if (!target) return std::move(target).error();
  auto forget_it = [self = weak_from_this()](ChannelHandle& ended) {
    if (const auto client = self.lock()) client->forget(ended);
  };
  auto handle =
      std::make_shared<ChannelHandle>(ChannelHandle::Owner{runtime_.executor(), runner_, std::move(forget_it)}, number,
                                      params.channel, std::move(host));
  handle->prepare({runtime_.executor(), random_, access_, nullptr, protocols_, {}, weak_from_this()},
                  *std::move(target));
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return cancelled_error();
    admit<OpenChannel>(channels_, shared_from_this(), handle);
  }
  return {};
}

Status Client::close_channel(ChannelHandle& channel) {
  const Status closed = channel.close();
  if (closed == Status::ok) forget(channel);
  return closed;
}

void Client::forget(ChannelHandle& channel) {
  ChannelRegistry::instance().remove(channel.number());
  std::shared_ptr<ChannelHandle> last;  // dropped after the lock
  {
    const MutexLock lock(mutex_);
    last = taken_out(channels_, channel);
  }
  if (last) end_when_idle();
}

// ---- streams --------------------------------------------------------------------------------------------------------

Expected<void> Client::open_stream(Handle number, stream::Config config, std::unique_ptr<delivery::Host> host) {
  if (config.client_key != nullptr) {
    return Error{Status::invalid, "config key " + std::string(config.client_key) +
                                      ": belongs to the client; expected a query and how it is kept up to date"};
  }
  config.connection.request_timeout = options_.connection.request_timeout;
  config.delivery = options_.delivery;
  config.reader.max_object_size = options_.max_object_size;
  {
    const MutexLock lock(mutex_);
    if (cancelled_) return cancelled_error();
    ++live_streams_;
  }
  auto life = std::make_shared<StreamLife>([self = weak_from_this()] {
    if (const auto client = self.lock()) client->on_stream_ended();
  });
  delivery::SharedDelivery shared{runner_, [life] { life->end(); }};
  life.reset();
  Expected<void> opened = stream::open(number, config, std::move(host),
                                       stream::ClientParts{access_, context_namespace_, std::move(shared)});
  if (!opened) return opened;
  const auto stream = stream::StreamRegistry::instance().find(number);
  if (!stream) return {};
  bool cancelled = false;
  bool closing = false;
  try {
    const MutexLock lock(mutex_);
    add_stream(number);
    // A cancel or close that came meanwhile did not see it.
    cancelled = cancelled_;
    closing = closing_;
  } catch (...) {
    close_stream(number, *stream);
    throw;
  }
  if (closing) {
    close_stream(number, *stream);
  } else if (cancelled) {
    stream->cancel();
  }
  return {};
}

// Only what is in the registry already: what is not is taken for closed.
void Client::add_stream(Handle number) {
  if (streams_.size() == streams_.capacity()) {
    auto& registry = stream::StreamRegistry::instance();
    const auto closed = [&](Handle opened) { return registry.find(opened) == nullptr; };
    streams_.erase(std::remove_if(streams_.begin(), streams_.end(), closed), streams_.end());
    // Room for as many again keeps this from being done for each.
    streams_.reserve(streams_.size() * 2 + kFewStreams);
  }
  streams_.push_back(number);
}

void Client::close_stream(Handle number, stream::Stream& stream) {
  stream.close_async([number] { stream::StreamRegistry::instance().remove(number); });
}

void Client::on_stream_ended() {
  {
    const MutexLock lock(mutex_);
    --live_streams_;
  }
  end_when_idle();
}

std::vector<std::pair<Handle, std::shared_ptr<stream::Stream>>> Client::open_streams() {
  std::vector<std::pair<Handle, std::shared_ptr<stream::Stream>>> open;
  const MutexLock lock(mutex_);
  for (const Handle number : streams_) {
    if (auto stream = stream::StreamRegistry::instance().find(number)) open.emplace_back(number, std::move(stream));
  }
  return open;
}

// ---- callbacks ------------------------------------------------------------------------------------------------------

bool Client::wants(LogLevel) const noexcept {
  return log_wanted_.load(std::memory_order_relaxed);
}

void Client::log(LogLevel level, std::string line) {
  if (!wants(level)) return;
  line = access_->secrets()->blanked(line);
  {
    const MutexLock lock(mutex_);
    if (ended_) return;
    log_lines_.add_log(level, std::move(line));
  }
  runner_->post(std::static_pointer_cast<Client>(shared_from_this()));
}

bool Client::deliver_log_line() {
  std::optional<delivery::Notification> item;
  {
    const MutexLock lock(mutex_);
    item = log_lines_.take(false);
  }
  if (!item) return false;
  if (const auto* line = std::get_if<delivery::LogLine>(&*item)) {
    delivery::call_of_host([&] { host_->on_log(line->level, line->text); });
  }
  return true;
}

delivery::CallbackSource::Turn Client::take_turn() {
  {
    const MutexLock lock(mutex_);
    if (ended_) return {};
  }
  if (deliver_log_line()) return {true, true};
  {
    const MutexLock lock(mutex_);
    if (!closing_ || busy()) return {};
  }
  const bool made = host_->wants_destroy();
  finish();
  return {made, false};
}

void Client::finish() {
  log_wanted_.store(false, std::memory_order_relaxed);
  delivery::call_of_host([this] {
    host_->call_destroy();
    host_.reset();
  });
  runner_->stop();
  std::function<void()> on_ended;
  {
    const MutexLock lock(mutex_);
    ended_ = true;
    on_ended = std::exchange(on_ended_, nullptr);
    changed_.notify_all();
  }
  if (on_ended) on_ended();
}

// ---- the end --------------------------------------------------------------------------------------------------------

void Client::cancel() {
  std::vector<std::shared_ptr<RequestHandle>> open;
  std::vector<std::shared_ptr<ChannelHandle>> channels;
  {
    const MutexLock lock(mutex_);
    cancelled_ = true;
    for (const auto& [key, request] : requests_) open.push_back(request);
    for (const auto& [key, channel] : channels_) channels.push_back(channel);
  }
  for (const auto& request : open) request->cancel();
  for (const auto& channel : channels) channel->cancel();
  for (const auto& [number, stream] : open_streams()) stream->cancel();
}

void Client::begin_end() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  cancel();
  std::vector<std::shared_ptr<RequestHandle>> open;
  std::vector<std::shared_ptr<ChannelHandle>> channels;
  {
    const MutexLock lock(mutex_);
    for (const auto& [key, request] : requests_) open.push_back(request);
    for (const auto& [key, channel] : channels_) channels.push_back(channel);
  }
  // None is added any more. Their callbacks come before the client's own end.
  for (const auto& request : open) request->close_async();
  for (const auto& channel : channels) channel->close_async();
  for (const auto& [number, stream] : open_streams()) close_stream(number, *stream);
  runner_->post_ending(std::static_pointer_cast<Client>(shared_from_this()));
}

void Client::end_when_idle() {
  {
    const MutexLock lock(mutex_);
    if (!closing_ || ended_ || busy()) return;
  }
  runner_->post_ending(std::static_pointer_cast<Client>(shared_from_this()));
}

Status Client::close() {
  if (runner_->inside()) return Status::would_deadlock;
  begin_end();
  if (runner_->manual()) runner_->run_here(*this);
  {
    const MutexLock lock(mutex_);
    while (!ended_) changed_.wait(mutex_);
  }
  if (!runner_->manual()) runner_->join();
  return Status::ok;
}

void Client::close_async(std::function<void()> on_ended) {
  {
    const MutexLock lock(mutex_);
    if (closing_ || on_ended_) return;
    on_ended_ = std::move(on_ended);
  }
  runner_->detach();
  begin_end();
}

void Client::abandon() {
  log_wanted_.store(false, std::memory_order_relaxed);
  close();
}

std::optional<std::uint64_t> Client::statistic(std::string_view name) {
  const auto value = [](const std::atomic<std::uint64_t>& count) { return count.load(std::memory_order_relaxed); };
  if (name == "requests") return value(counts_->requests);
  if (name == "retries") return value(counts_->retries);
  if (name == "errors") return value(counts_->errors);
  if (name == "bytes_received") return value(counts_->bytes_received);
  if (name == "bytes_sent") return value(counts_->bytes_sent);
  if (name == "headlamp_reloads") return access_->reloads();
  const MutexLock lock(mutex_);
  if (name == "open_requests") return requests_.size();
  if (name == "open_channels") return channels_.size();
  if (name == "open_streams") return live_streams_;
  if (name == "dropped_logs") return log_lines_.dropped().log_lines;
  return std::nullopt;
}

// ---- opening --------------------------------------------------------------------------------------------------------

Expected<void> open_client(Handle number, const ClientOptions& options, std::unique_ptr<ClientHost> host) {
  stream::claim_process();
  // Before the network thread is started.
  transport::register_atexit_hook();
  auto client = Client::create(options, std::move(host), stream::Runtime::instance());
  if (!client) return std::move(client).error();
  try {
    ClientRegistry::instance().put(number, *client);
  } catch (...) {
    (*client)->abandon();
    throw;
  }
  return {};
}

}  // namespace ksr::client

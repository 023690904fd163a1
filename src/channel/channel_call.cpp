#include "channel/channel_call.hpp"

#include "base/secrets.hpp"
#include "base/text.hpp"
#include "channel/exec_call.hpp"
#include "channel/http_call.hpp"
#include "channel/log_call.hpp"
#include "channel/port_forward_call.hpp"
#include "channel/websocket_call.hpp"
#include "cluster/header_secrets.hpp"

namespace ksr::channel {
namespace {

const char* name_of(ChannelKind kind) {
  switch (kind) {
    case ChannelKind::log:
      return "log";
    case ChannelKind::exec:
      return "exec";
    case ChannelKind::attach:
      return "attach";
    case ChannelKind::portforward:
      return "portforward";
    case ChannelKind::websocket:
      return "WebSocket";
    case ChannelKind::http:
    case ChannelKind::none:
      break;
  }
  return "http";
}

// A handshake is a GET too, but what it opens may run or change something.
bool is_safe(ChannelKind kind, const std::string& method) {
  return kind == ChannelKind::log || (kind == ChannelKind::http && transport::is_safe_method(method));
}

}  // namespace

ChannelCall::ChannelCall(Environment environment, ChannelOptions options, ChannelTarget target)
    : environment_(std::move(environment)),
      options_(std::move(options)),
      target_(std::move(target)),
      maybe_done_(is_safe(options_.kind, target_.method)) {}

void ChannelCall::start() {
  guarded([this] { begin(); });
}

void ChannelCall::cancel() {
  KSR_ASSERT_ON_THREAD(environment_.executor);
  if (std::exchange(ended_, true)) return;
  end_counts();
  stop();
}

void ChannelCall::send_waiting() {
  guarded([this] { pump(); });
}

void ChannelCall::resize(std::uint16_t columns, std::uint16_t rows) {
  guarded([&] { take_size(columns, rows); });
}

// ---- what comes -----------------------------------------------------------------------------------------------------

void ChannelCall::give(int part, std::string_view bytes) {
  if (bytes.empty()) return;
  environment_.counts->bytes_received.fetch_add(bytes.size(), std::memory_order_relaxed);
  const auto to = host();
  if (to && !to->on_bytes(part, bytes)) rest();
}

void ChannelCall::give_message(int part, std::string message) {
  environment_.counts->bytes_received.fetch_add(message.size(), std::memory_order_relaxed);
  const auto to = host();
  if (to && !to->on_message(part, std::move(message))) rest();
}

void ChannelCall::drained() {
  if (const auto to = host()) to->on_drained();
}

void ChannelCall::mark(int part, Mark mark) {
  if (mark == Mark::gap) environment_.counts->gaps.fetch_add(1, std::memory_order_relaxed);
  if (const auto to = host()) to->on_mark(part, mark);
}

void ChannelCall::rest() {
  if (std::exchange(reading_rests_, true)) return;
  environment_.counts->stalled.begin(now());
  if (exchange_) exchange_->pause();
}

void ChannelCall::resume() {
  guarded([this] {
    if (!std::exchange(reading_rests_, false)) return;
    environment_.counts->stalled.end(now());
    resumed();
    if (exchange_) exchange_->resume();
  });
}

void ChannelCall::end_counts() {
  environment_.counts->stalled.end(now());
  environment_.counts->blocked.end(now());
}

void ChannelCall::interrupted(const Error& error, std::optional<Milliseconds> retry) {
  if (const auto to = host()) to->on_interrupted(shown(error), retry);
}

Error ChannelCall::shown(Error error) const {
  error = environment_.access->secrets()->blanked(std::move(error));
  return cluster::without_secrets_in(target_.headers, std::move(error)).within(context());
}

void ChannelCall::tell_info(const char* name, std::string_view value) {
  if (const auto to = host()) {
    to->set_info(name, cluster::without_secrets_in(target_.headers, environment_.access->secrets()->blanked(value)));
  }
}

void ChannelCall::warn(const std::string& what) {
  const auto logger = environment_.logger.lock();
  if (logger) log_line(*logger, LogLevel::warning, [&] { return context().text() + ": " + what; });
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ChannelCall::end(Ending ending) {
  if (std::exchange(ended_, true)) return;
  end_counts();
  maybe_done_.break_off(exchange_ && exchange_->is_sent());
  stop();
  if (ending.error) {
    const bool maybe_done = maybe_done_.before();
    ending.error = made_error([&] { return shown(*std::move(ending.error)); });
    ending.error->maybe_done = maybe_done;
  }
  if (const auto to = host()) to->on_end(std::move(ending));
}

std::unique_ptr<Timer> ChannelCall::after(Milliseconds delay, std::function<void()> task) {
  return environment_.executor.schedule(now() + delay, [this, task = std::move(task)] { guarded(task); });
}

ErrorContext ChannelCall::context() const {
  const std::string& server = environment_.access->server();
  if (target_.name.empty()) {
    // A query may hold a secret.
    const bool is_http = options_.kind == ChannelKind::http;
    return {is_http ? target_.method : name_of(options_.kind),
            one_line(target_.target.substr(0, target_.target.find('?'))), "", server};
  }
  return {name_of(options_.kind), "v1/pods " + in_quotes(target_.name), target_.name_space, server};
}

std::string pod_path(const ChannelTarget& target) {
  return "/api/v1/namespaces/" + percent_encode(target.name_space) + "/pods/" + percent_encode(target.name);
}

std::shared_ptr<ChannelCall> make_channel_call(ChannelCall::Environment environment, ChannelOptions options,
                                               ChannelTarget target) {
  switch (options.kind) {
    case ChannelKind::log:
      return std::make_shared<LogCall>(std::move(environment), std::move(options), std::move(target));
    case ChannelKind::exec:
    case ChannelKind::attach:
      return std::make_shared<ExecCall>(std::move(environment), std::move(options), std::move(target));
    case ChannelKind::portforward:
      return std::make_shared<PortForwardCall>(std::move(environment), std::move(options), std::move(target));
    case ChannelKind::websocket:
      return std::make_shared<RawWebSocketCall>(std::move(environment), std::move(options), std::move(target));
    case ChannelKind::http:
    case ChannelKind::none:
      break;
  }
  return std::make_shared<HttpCall>(std::move(environment), std::move(options), std::move(target));
}

}  // namespace ksr::channel

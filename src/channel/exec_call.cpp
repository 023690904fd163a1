#include "channel/exec_call.hpp"

#include "base/query_string.hpp"
#include "channel/pod_info.hpp"

namespace ksr::channel {
namespace {

// The server closes right after the Status.
constexpr Milliseconds kMaxCloseTime{2'000};

}  // namespace

ExecCall::ExecCall(Environment environment, ChannelOptions options, ChannelTarget target)
    : WebSocketCall(std::move(environment), std::move(options), std::move(target)), container_(options_.container) {
  if (options_.tty && options_.columns > 0) size_to_send_.emplace(options_.columns, options_.rows);
}

// ---- opening --------------------------------------------------------------------------------------------------------

// Without leave to read the pod, or without the pod, the server's own answer to the handshake says more.
void ExecCall::begin() {
  if (!container_.empty()) return try_once();
  fetch_ = std::make_unique<DocumentFetch>(environment_.access, pod_path(target_), target_.headers, "application/json",
                                           [this](const Expected<std::string>& pod) {
                                             guarded([&] {
                                               const auto answered = std::move(fetch_);
                                               if (pod) container_ = read_pod_info(*pod).default_container;
                                               try_once();
                                             });
                                           });
}

// v4 passes the runtime's own word on how the command ended; over v5 kube-apiserver translates, and may invent a
// success where the node has died (kubernetes/kubernetes#137404). But only v5 has an end of stdin, which a program
// without a terminal may wait for.
bool ExecCall::wants_v5() const {
  switch (options_.exec_protocol) {
    case ExecProtocol::v4:
      return false;
    case ExecProtocol::v5:
      return true;
    case ExecProtocol::automatic:
      break;
  }
  if (use_v5_) return *use_v5_;
  // Over v4 a kubelet gives the runtime a standard input that has ended where none was asked for
  // (k8s.io/streaming/pkg/httpstream/wsstream/conn.go, Read), and a runtime may take that for the end of an attach.
  const bool needs_v5 = options_.wants_stdin ? !options_.tty : options_.kind == ChannelKind::attach;
  if (needs_v5) return !environment_.protocols->refuses_v5;
  return environment_.protocols->refuses_v4;
}

WebSocketCall::Handshake ExecCall::handshake() {
  QueryString query;
  for (const std::string& argument : options_.command) query.add("command", argument);
  query.add_if_set("container", container_);
  if (options_.wants_stdin) query.add("stdin", "true");
  if (options_.wants_stdout) query.add("stdout", "true");
  if (options_.wants_stderr && !options_.tty) query.add("stderr", "true");
  if (options_.tty) query.add("tty", "true");
  query.add_all(target_.query);
  if (const auto to = host()) to->set_info("container", container_);
  const std::string path = pod_path(target_) + (options_.kind == ChannelKind::exec ? "/exec" : "/attach");
  Handshake wanted{query.after(path), {}};
  // kube-apiserver takes v5 whenever it is offered.
  if (wants_v5()) wanted.subprotocols.emplace_back(subprotocol_of(ChannelProtocol::v5));
  const bool v5_alone = options_.exec_protocol == ExecProtocol::v5 || use_v5_ == true;
  if (!wants_v5() || !v5_alone) wanted.subprotocols.emplace_back(subprotocol_of(ChannelProtocol::v4));
  return wanted;
}

// kube-apiserver answers 403 without a body to subprotocols that it does not know (golang.org/x/net/websocket). So may
// a gateway to anything: whether it was the protocol is known once the other one is accepted.
void ExecCall::refused(Refusal refusal) {
  const bool unknown_protocol =
      refusal.failure.answered && refusal.failure.error.http_status == 403 && !refusal.has_body;
  if (unknown_protocol && options_.exec_protocol == ExecProtocol::automatic && !use_v5_) {
    use_v5_ = !wants_v5();
    return try_later(refusal.failure.error, Milliseconds(0));
  }
  WebSocketCall::refused(std::move(refusal));
}

void ExecCall::opened(const std::string& subprotocol) {
  const auto protocol = channel_protocol(subprotocol);
  if (!protocol) return fail({Status::protocol, "the server chose the subprotocol " + subprotocol});
  codec_.emplace(*protocol);
  exec_end_.emplace(*protocol);
  const bool v5 = protocol == ChannelProtocol::v5;
  (v5 ? environment_.protocols->refuses_v5 : environment_.protocols->refuses_v4) = false;
  if (use_v5_) (*use_v5_ ? environment_.protocols->refuses_v4 : environment_.protocols->refuses_v5) = true;
  const bool v1 = tells_failures_in_text(*protocol);
  environment_.counts->protocol.store(v5 ? 5 : v1 ? 1 : 4, std::memory_order_relaxed);
  if (const auto to = host()) to->on_open();
}

// ---- messages -------------------------------------------------------------------------------------------------------

bool ExecCall::gives(int channel) const {
  return (channel == kStdout && options_.wants_stdout) ||
         (channel == kStderr && options_.wants_stderr && !options_.tty);
}

bool ExecCall::begin_stream(std::string_view bytes) {
  if (!codec_ || !codec_->binary() || bytes.empty() || !gives(static_cast<unsigned char>(bytes.front()))) return false;
  stream_ = static_cast<unsigned char>(bytes.front());
  give(stream_, bytes.substr(1));
  return true;
}

void ExecCall::received(std::string bytes, transport::MessageType) {
  auto decoded = codec_->decode(bytes);
  if (!decoded) return finish(decoded.error());
  const std::optional<ChannelMessage>& read = *decoded;
  if (!read) return;
  if (read->closes) return;
  if (gives(read->channel)) return give(read->channel, read->payload);
  if (read->channel != kStatus) return;
  exec_end_->add_status(read->payload);
  if (!exec_end_->may_end()) return;
  await_close();
}

void ExecCall::await_close() {
  end_timer_ = after(kMaxCloseTime, [this] {
    // What follows the Status is not read meanwhile.
    if (!reading_rests()) finish(std::nullopt);
  });
}

void ExecCall::resumed() {
  if (end_timer_) await_close();
}

WebSocketCall::Message ExecCall::message(std::string bytes, std::size_t payload) const {
  return {std::move(bytes), codec_->binary() ? transport::MessageType::binary : transport::MessageType::text, payload};
}

std::optional<WebSocketCall::Message> ExecCall::next_message() {
  if (const auto size = std::exchange(size_to_send_, std::nullopt)) {
    return message(codec_->encode_resize(size->first, size->second));
  }
  const auto to = host();
  const auto next = to ? to->take_outgoing() : std::nullopt;
  if (!next) return std::nullopt;
  if (!next->finishes) return message(codec_->encode(kStdin, next->bytes), next->bytes.size());
  if (codec_->closes_channels()) return message(codec_->encode_close(kStdin));
  interrupted(
      {Status::unsupported, std::string("the end of stdin cannot be sent over ") + subprotocol_of(codec_->protocol())},
      std::nullopt);
  return std::nullopt;
}

void ExecCall::take_size(std::uint16_t columns, std::uint16_t rows) {
  size_to_send_.emplace(columns, rows);
  pump();
}

std::string ExecCall::keepalive() const {
  return codec_ && codec_->binary() && options_.wants_stdin ? codec_->encode_keepalive() : std::string();
}

// ---- the end --------------------------------------------------------------------------------------------------------

void ExecCall::closed(const std::optional<Error>& error) {
  finish(error);
}

void ExecCall::finish(const std::optional<Error>& error) {
  ExecOutcome outcome = exec_end_->finish(error);
  environment_.counts->exit_verified.store(outcome.verified ? 1 : 0, std::memory_order_relaxed);
  // Otherwise a read between this and the end would tell of an orderly one.
  const bool in_order = !outcome.error;
  if (in_order && options_.wants_stdout) mark(kPartStdout, Mark::finished);
  if (in_order && options_.wants_stderr && !options_.tty) mark(kPartStderr, Mark::finished);
  if (options_.kind == ChannelKind::attach) outcome.exit_code.reset();
  end({std::move(outcome.error), outcome.exit_code});
}

void ExecCall::stop() {
  fetch_.reset();
  end_timer_.reset();
  WebSocketCall::stop();
}

}  // namespace ksr::channel

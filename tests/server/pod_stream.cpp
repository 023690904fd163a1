#include "server/pod_stream.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <utility>

#include "server/list_handler.hpp"
#include "server/words.hpp"

namespace ksr::testserver {
namespace {

constexpr std::size_t kLargestOutput = 32 * 1024;
constexpr std::size_t kKeptOfWritten = std::size_t{64} << 20;
constexpr std::uint64_t kMostPorts = 100;
constexpr int kStdin = 0;
constexpr int kError = 3;
constexpr int kResize = 4;
constexpr unsigned char kStreamClose = 255;
constexpr const char* kV4 = "v4.channel.k8s.io";
constexpr const char* kV5 = "v5.channel.k8s.io";

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// x/net/websocket's refusal of a handshake.
StreamChoice forbidden() {
  StreamChoice choice;
  choice.refusal.emplace();
  choice.refusal->status = 403;
  choice.refusal->content_type.clear();
  return choice;
}

StreamChoice text_refusal(unsigned status, const std::string& message) {
  StreamChoice choice;
  choice.refusal = status_reply(status_of_code(status, message));
  return choice;
}

// Repeated, or with commas.
std::vector<std::uint64_t> ports_of(const ApiRequest& request) {
  std::vector<std::uint64_t> ports;
  for (const auto& [key, value] : request.target.query) {
    if (key != "ports") continue;
    std::size_t at = 0;
    while (at <= value.size()) {
      const std::size_t end = std::min(value.find(',', at), value.size());
      ports.push_back(parse_size(value.substr(at, end - at)));
      at = end + 1;
    }
  }
  return ports;
}

StreamChoice choose_from(const std::vector<std::string>& offered, const std::vector<std::string>& known) {
  if (offered.empty()) return {};
  for (const std::string& protocol : known) {
    if (contains(offered, protocol)) return {std::nullopt, protocol};
  }
  return forbidden();
}

}  // namespace

StreamChoice choose_stream(const ApiRequest& request, const StreamPlans& plans) {
  if (!request.websocket) return text_refusal(400, "Upgrade request required");
  if (request.subresource == "proxy") {
    return {std::nullopt, request.subprotocols.empty() ? "" : request.subprotocols.front()};
  }
  if (request.subresource != "portforward") return choose_from(request.subprotocols, plans.known);
  const std::vector<std::uint64_t> ports = ports_of(request);
  if (ports.empty() || ports.size() > kMostPorts) return text_refusal(400, "query parameter \"ports\" is required");
  for (const std::uint64_t port : ports) {
    if (port == 0 || port > 65'535) return text_refusal(400, "invalid port " + std::to_string(port));
  }
  // v5 is none of port-forward's; the tunnel is not served here.
  std::vector<std::string> known = plans.known;
  known.erase(std::remove(known.begin(), known.end(), kV5), known.end());
  return choose_from(request.subprotocols, known);
}

PodStream::PodStream(boost::asio::io_context& io, const ApiRequest& request, std::string protocol, StreamPlans& plans,
                     StreamSink& sink)
    : request_(request),
      protocol_(std::move(protocol)),
      plan_(plans.find(request.subresource, object_key(request.ns, request.name))),
      record_(std::make_shared<RecordedStream>()),
      sink_(sink),
      timer_(io) {
  record_->kind = request.subresource;
  record_->target = request.raw_target;
  record_->protocol = protocol_;
  plans.recorded.push_back(record_);
}

bool PodStream::base64() const {
  return protocol_.find("base64.channel.k8s.io") != std::string::npos;
}

bool PodStream::asked(int channel) const {
  if (request_.subresource == "portforward" || request_.subresource == "proxy") return true;
  constexpr std::pair<int, const char*> kStreams[] = {{0, "stdin"}, {1, "stdout"}, {2, "stderr"}};
  for (const auto& [number, name] : kStreams) {
    if (number == channel) return request_.target.flag(name) && !(number == 2 && request_.target.flag("tty"));
  }
  return true;
}

void PodStream::begin() {
  if (plan_.opens && request_.subresource == "portforward") {
    const std::vector<std::uint64_t> ports = ports_of(request_);
    ports_ = ports.size();
    for (std::size_t i = 0; i < ports.size(); ++i) {
      // The number of the port, little-endian (cri-streaming/pkg/streaming/portforward/websocket.go).
      const std::string port{static_cast<char>(ports[i] & 0xFF), static_cast<char>(ports[i] >> 8)};
      send_message(static_cast<int>(2 * i), port);
      send_message(static_cast<int>(2 * i + 1), port);
    }
  } else if (plan_.opens && request_.subresource != "proxy") {
    for (const int channel : {1, 2, kError}) {
      if (!asked(channel)) continue;
      send_message(channel, "");
      break;
    }
  }
  play();
}

void PodStream::stop() {
  if (std::exchange(over_, true)) return;
  record_->over = true;
  timer_.cancel();
}

// ---- steps ---------------------------------------------------------------------------

void PodStream::play() {
  while (!over_ && !sleeping_ && at_ < plan_.steps.size()) {
    const StreamStep& step = plan_.steps[at_];
    if (waits(step)) return;
    ++at_;
    if (!play_step(step)) return;
  }
}

bool PodStream::waits(const StreamStep& step) const {
  switch (step.action) {
    case StreamAction::wait_bytes:
      return record_->written.size() < step.count;
    case StreamAction::wait_eof:
      return !record_->input_ended;
    case StreamAction::wait_resize:
      return record_->resizes.size() < step.count;
    default:
      return false;
  }
}

bool PodStream::play_step(const StreamStep& step) {
  switch (step.action) {
    case StreamAction::message:
      if (asked(step.channel)) send_message(step.channel, step.text, step.fragmented);
      break;
    case StreamAction::flood:
      if (asked(step.channel)) flood(step);
      break;
    case StreamAction::frame:
      sink_.send_frames(frame(step.channel == 1 ? Opcode::text : Opcode::binary, step.text));
      break;
    case StreamAction::status:
      send_status(step);
      break;
    case StreamAction::echo:
      echoes_ = true;
      echo(record_->written);
      break;
    case StreamAction::no_pong:
      answers_pings_ = false;
      break;
    case StreamAction::deaf:
      sink_.hear_client(false);
      break;
    case StreamAction::hear:
      sink_.hear_client(true);
      break;
    case StreamAction::sleep:
      sleeping_ = true;
      timer_.expires_after(step.length);
      timer_.async_wait([self = shared_from_this()](const auto& cancelled) {
        if (cancelled) return;
        self->sleeping_ = false;
        self->play();
      });
      return false;
    case StreamAction::close:
      sink_.close_stream(static_cast<std::uint16_t>(step.count), step.text);
      return false;
    case StreamAction::cut:
      sink_.cut_stream(step.count == 1);
      return false;
    default:
      break;
  }
  return true;
}

// ---- out -----------------------------------------------------------------------------

void PodStream::send_message(int channel, const std::string& payload, bool fragmented) {
  const bool proxied = request_.subresource == "proxy";
  const Opcode opcode = base64() ? Opcode::text : Opcode::binary;
  const std::string message = proxied    ? payload
                              : base64() ? static_cast<char>('0' + channel) + ksr::testserver::base64(payload)
                                         : static_cast<char>(channel) + payload;
  if (!fragmented) return sink_.send_frames(frame(opcode, message));
  const std::size_t third = message.size() / 3;
  sink_.send_frames(frame(opcode, message.substr(0, third), false) +
                    frame(Opcode::continuation, message.substr(third, third), false) +
                    frame(Opcode::continuation, message.substr(2 * third)));
}

// "abc…z" again and again.
void PodStream::flood(const StreamStep& step) {
  for (std::uint64_t sent = 0; sent < step.count;) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(kLargestOutput, step.count - sent));
    std::string piece(size, '\0');
    for (std::size_t i = 0; i < size; ++i) piece[i] = static_cast<char>('a' + (sent + i) % 26);
    send_message(step.channel, piece);
    sent += size;
  }
}

void PodStream::send_status(const StreamStep& step) {
  // v1 has text in its place, and nothing for a success.
  const bool has_status = ends_with(protocol_, kV4) || protocol_ == kV5 || protocol_ == "v4.base64.channel.k8s.io";
  if (!has_status) {
    const boost::json::value status = boost::json::parse(step.text);
    if (const boost::json::value* message = status.as_object().if_contains("message")) {
      send_message(kError, message->as_string().c_str());
    }
    return;
  }
  const std::size_t half = step.count == 2 ? step.text.size() / 2 : step.text.size();
  send_message(kError, step.text.substr(0, half));
  if (step.count == 2) send_message(kError, step.text.substr(half));
}

void PodStream::echo(const std::string& payload) {
  if (payload.empty()) return;
  send_message(request_.subresource == "portforward" ? 0 : 1, payload);
}

// ---- in ------------------------------------------------------------------------------

void PodStream::on_frame(const Frame& frame) {
  if (over_) return;
  switch (frame.opcode) {
    case Opcode::ping:
      ++record_->pings;
      return;
    case Opcode::pong:
      return;
    case Opcode::close:
      record_->close_code = frame.payload.size() < 2 ? 1005
                                                     : static_cast<unsigned char>(frame.payload[0]) << 8 |
                                                           static_cast<unsigned char>(frame.payload[1]);
      return;
    default:
      on_message(frame);
  }
  play();
}

void PodStream::on_message(const Frame& frame) {
  record_->largest_message = std::max(record_->largest_message, frame.payload.size());
  if (frame.payload.empty()) ++record_->empty_messages;
  if (request_.subresource == "proxy") {
    record_->messages.push_back(frame.payload);
    if (record_->written.size() < kKeptOfWritten) record_->written += frame.payload;
    if (echoes_) sink_.send_frames(ksr::testserver::frame(frame.opcode, frame.payload));
    return;
  }
  // x/net/websocket reads frames: the first byte of a continuation would be taken for a channel.
  if (!frame.final || frame.opcode == Opcode::continuation) record_->violations.push_back("a fragmented message");
  if (frame.payload.empty()) return;
  if (!base64()) {
    if (frame.opcode != Opcode::binary) record_->violations.push_back("a text message");
    return on_channel_message(static_cast<unsigned char>(frame.payload[0]), frame.payload.substr(1));
  }
  const std::optional<std::string> payload = base64_decoded(frame.payload.substr(1));
  if (frame.opcode != Opcode::text || !payload) record_->violations.push_back("a message that is not base64 text");
  on_channel_message(frame.payload[0] - '0', payload.value_or(""));
}

void PodStream::on_channel_message(int channel, const std::string& payload) {
  if (channel == kStreamClose) {
    if (protocol_ != kV5) return record_->violations.push_back("a close of stdin without v5");
    if (payload.size() != 1 || payload[0] != 0) return record_->violations.push_back("a close of another channel");
    record_->input_ended = true;
    return;
  }
  if (request_.subresource != "portforward" && channel == kResize) return on_resize(payload);
  if (channel != kStdin || !asked(kStdin)) {
    return record_->violations.push_back("data on channel " + std::to_string(channel));
  }
  if (record_->input_ended) record_->violations.push_back("data after the end of stdin");
  if (record_->written.size() < kKeptOfWritten) record_->written += payload;
  if (echoes_) echo(payload);
}

void PodStream::on_resize(const std::string& payload) {
  record_->resizes.push_back(payload);
  if (!request_.target.flag("tty")) record_->violations.push_back("a resize without tty");
  boost::json::error_code failure;
  const boost::json::value size = boost::json::parse(payload, failure);
  if (failure || !size.is_object()) record_->violations.push_back("a resize that is no JSON object: " + payload);
}

}  // namespace ksr::testserver

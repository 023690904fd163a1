#include "server/connection.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "server/status.hpp"
#include "server/world.hpp"

namespace ksr::testserver {
namespace {

std::string chunk(std::string_view bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return size + std::string(bytes) + "\r\n";
}

std::string head_text(unsigned status, const Headers& headers, const char* version = "HTTP/1.1") {
  std::string text = version + std::string(" ") + std::to_string(status) + " " + reason_phrase(status) + "\r\n";
  for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

}  // namespace

Connection::Connection(World& world, boost::asio::io_context& io, std::unique_ptr<Channel> channel)
    : world_(world), channel_(std::move(channel)), end_timer_(io), bookmark_timer_(io), pace_timer_(io) {}

Connection::~Connection() = default;

void Connection::start() {
  channel_->handshake([self = shared_from_this()](const boost::system::error_code& failure) {
    if (failure) return self->close(false);
    self->read();
  });
}

void Connection::close(bool reset) {
  if (std::exchange(closed_, true)) return;
  drop_feed();
  drop_stream();
  end_timer_.cancel();
  bookmark_timer_.cancel();
  pace_timer_.cancel();
  channel_->close(reset);
  world_.forget(*this);
}

// ---- in ------------------------------------------------------------------------------

void Connection::read() {
  if (closed_ || deaf_ || reading_) return;
  reading_ = true;
  channel_->read(boost::asio::buffer(space_), [self = shared_from_this()](const auto& failure, std::size_t count) {
    self->reading_ = false;
    if (failure) return self->close(false);
    self->on_bytes(count);
    self->read();
  });
}

void Connection::on_bytes(std::size_t count) {
  if (closed_) return;
  inbox_.append(space_.data(), count);
  if (websocket_) return take_frames();
  if (const std::optional<bool> reset = world_.take_request_cut(inbox_.size())) return close(*reset);
  while (!busy_ && !closed_ && take_request()) {
  }
}

bool Connection::take_request() {
  const std::size_t end = inbox_.find("\r\n\r\n");
  if (end == std::string::npos) return false;
  ApiRequest request;
  if (!parse_head(inbox_.substr(0, end + 2), request)) {
    close(false);
    return false;
  }
  const std::size_t length = parse_number(header_value(request.headers, "Content-Length")).value_or(0);
  if (inbox_.size() - end - 4 < length) return false;
  request.body = inbox_.substr(end + 4, length);
  inbox_.erase(0, end + 4 + length);
  handle(std::move(request));
  return true;
}

bool Connection::parse_head(const std::string& head, ApiRequest& request) const {
  const std::size_t first = head.find("\r\n");
  const std::string line = head.substr(0, first);
  const std::size_t one = line.find(' ');
  const std::size_t two = line.rfind(' ');
  if (one == std::string::npos || two <= one) return false;
  request.method = line.substr(0, one);
  request.raw_target = line.substr(one + 1, two - one - 1);
  for (std::size_t at = first + 2; at < head.size();) {
    const std::size_t end = head.find("\r\n", at);
    const std::size_t colon = head.find(':', at);
    if (colon == std::string::npos || colon > end) return false;
    std::size_t value = colon + 1;
    while (value < end && head[value] == ' ') ++value;
    request.headers.emplace_back(head.substr(at, colon - at), head.substr(value, end - value));
    at = end + 2;
  }
  request.websocket = equal_ignoring_case(header_value(request.headers, "Upgrade"), "websocket");
  request.subprotocols = header_list(request.headers, "Sec-WebSocket-Protocol");
  request.keep_alive = !equal_ignoring_case(header_value(request.headers, "Connection"), "close");
  return true;
}

void Connection::take_frames() {
  while (std::optional<Frame> frame = take_frame(inbox_)) {
    const bool answers_pings = fault_.action != FaultAction::no_pong && (!stream_ || stream_->answers_pings());
    if (frame->opcode == Opcode::ping && answers_pings) send(ksr::testserver::frame(Opcode::pong, frame->payload));
    if (const auto stream = stream_) stream->on_frame(*frame);
    if (frame->opcode == Opcode::close) {
      drop_feed();
      drop_stream();
      log_.reset();
      end_websocket(1000);
    }
  }
}

// ---- requests ------------------------------------------------------------------------

void Connection::handle(ApiRequest request) {
  busy_ = true;
  sent_ = 0;
  events_ = 0;
  keep_alive_ = request.keep_alive;
  const World::Verdict verdict = world_.judge(request, channel_->client_name());
  fault_ = verdict.fault;
  if (fault_.action == FaultAction::stall && fault_.bytes == 0) {
    silent_ = true;
    return;
  }
  if (fault_.action == FaultAction::endless_headers) return endless_headers();
  if (fault_.action == FaultAction::no_upgrade || holds_head() || holds_events()) request.websocket = false;
  if (fault_.action == FaultAction::http10) keep_alive_ = false;
  if (fault_.action == FaultAction::cut_after) {
    pace_timer_.expires_after(fault_.interval);
    pace_timer_.async_wait([self = shared_from_this()](const auto& failure) {
      if (!failure) self->close(self->fault_.reset);
    });
  }
  if (verdict.script) {
    runs_script_ = true;
    return world_.run_script(request.body, [weak = weak_from_this(), request](const std::string& problem) {
      const auto self = weak.lock();
      if (!self) return;
      self->runs_script_ = false;
      Reply reply;
      reply.status = problem.empty() ? 200 : 400;
      reply.content_type = "text/plain";
      reply.body = problem.empty() ? "done\n" : problem + "\n";
      self->answer(request, std::move(reply));
    });
  }
  if (verdict.reply) return answer(request, *verdict.reply);
  if (request.verb == "stream") return open_stream(request);
  if (request.verb == "log") return open_log(request);
  open_watch(request);
}

void Connection::answer(const ApiRequest& request, Reply reply) {
  world_.compress(request, reply);
  Headers headers = reply.headers;
  const bool typed = !header_value(headers, "Content-Type").empty();
  if (fault_.action == FaultAction::content_type) {
    headers.emplace_back("Content-Type", fault_.text);
  } else if (!typed && !reply.content_type.empty()) {
    headers.emplace_back("Content-Type", reply.content_type);
  }
  if (fault_.action == FaultAction::http10) {
    send(head_text(reply.status, headers, "HTTP/1.0") + reply.body);
    return finish_request();
  }
  if (!keep_alive_) headers.emplace_back("Connection", "close");
  if (fault_.action == FaultAction::bad_chunk) {
    headers.emplace_back("Transfer-Encoding", "chunked");
    send(head_text(reply.status, headers) + "zz\r\n" + reply.body);
  } else {
    headers.emplace_back("Content-Length", std::to_string(reply.body.size()));
    send(head_text(reply.status, headers) + reply.body);
  }
  finish_request();
}

void Connection::finish_request() {
  busy_ = false;
  if (!keep_alive_) close_when_written_ = true;
  pump();
  if (!closed_ && !inbox_.empty()) on_bytes(0);
}

void Connection::endless_headers() {
  silent_ = true;
  channel_->write(boost::asio::buffer("HTTP/1.1 200 OK\r\n", 17), [](const auto&, std::size_t) {});
  struct Flood {
    static void more(std::shared_ptr<Connection> self, std::shared_ptr<std::string> line, int left) {
      if (self->closed_ || left == 0) return;
      self->channel_->write(boost::asio::buffer(*line), [self, line, left](const auto& failure, std::size_t) {
        if (!failure) more(self, line, left - 1);
      });
    }
  };
  const auto line = std::make_shared<std::string>();
  for (int i = 0; i < 50; ++i) *line += "X-Endless: " + std::string(1'000, 'x') + "\r\n";
  pace_timer_.expires_after(std::chrono::milliseconds(5));
  pace_timer_.async_wait([self = shared_from_this(), line](const auto& failure) {
    if (!failure) Flood::more(self, line, 2'000);
  });
}

// ---- streams and logs ----------------------------------------------------------------

void Connection::open_stream(const ApiRequest& request) {
  const std::string protocol = choose_stream(request, world_.streams()).protocol;
  accept_websocket(request, protocol);
  if (fault_.action == FaultAction::close_code) return end_websocket(static_cast<std::uint16_t>(fault_.status));
  const auto stream = stream_ =
      std::make_shared<PodStream>(world_.io(), request, protocol, world_.streams(), static_cast<StreamSink&>(*this));
  stream->begin();
}

void Connection::cut_stream(bool reset) {
  fault_.reset = reset;
  close_when_written_ = true;
  drop_stream();
  pump();
}

void Connection::hear_client(bool hear) {
  deaf_ = !hear;
  read();
}

void Connection::drop_stream() {
  if (!stream_) return;
  stream_->stop();
  stream_.reset();
}

void Connection::open_log(const ApiRequest& request) {
  log_protocol_.clear();
  if (request.websocket) {
    for (const std::string& offered : request.subprotocols) {
      const bool known = offered == "binary.k8s.io" || offered == "base64.binary.k8s.io";
      if (known && log_protocol_.empty()) log_protocol_ = offered;
    }
    if (log_protocol_.empty() && !request.subprotocols.empty()) {
      Reply refused;
      refused.status = 403;
      refused.content_type.clear();
      return answer(request, std::move(refused));
    }
    accept_websocket(request, log_protocol_);
    send(frame(log_protocol_ == "base64.binary.k8s.io" ? Opcode::text : Opcode::binary, ""));
  } else {
    send(head_text(200, {{"Content-Type", "text/plain"}, {"Transfer-Encoding", "chunked"}}));
  }
  log_ = std::make_unique<LogFollower>(LogQuery::of(request));
  const PodLog& log = world_.logs().at(log_->query().key);
  send_log(log_->existing(log));
  if (log_ && (!log_->query().follow || log.over || log_->is_full())) end_log();
}

// apiserver/pkg/util/wsstream's Reader sends pieces of 2048 bytes.
void Connection::send_log(const std::string& text) {
  if (text.empty()) return;
  if (!websocket_) return send(chunk(text));
  constexpr std::size_t kPiece = 2048;
  for (std::size_t at = 0; at < text.size(); at += kPiece) {
    const std::string piece = text.substr(at, kPiece);
    const bool encoded = log_protocol_ == "base64.binary.k8s.io";
    send(encoded ? frame(Opcode::text, base64(piece)) : frame(Opcode::binary, piece));
  }
}

void Connection::on_log(const std::string& log_key, const LogEntry& entry) {
  if (!follows(log_key)) return;
  send_log(log_->text_of(entry));
  if (log_ && log_->is_full()) end_log();
}

void Connection::end_log() {
  log_.reset();
  if (websocket_) return end_websocket(1000);
  send("0\r\n\r\n");
  finish_request();
}

// ---- watches -------------------------------------------------------------------------

void Connection::open_watch(const ApiRequest& request) {
  if (request.websocket) {
    accept_websocket(request, request.subprotocols.empty() ? "" : request.subprotocols[0]);
  } else {
    const std::string type = fault_.action == FaultAction::content_type ? fault_.text : "application/json";
    const std::string head = fault_.action == FaultAction::http10
                                 ? head_text(200, {{"Content-Type", type}}, "HTTP/1.0")
                                 : head_text(200, {{"Content-Type", type}, {"Transfer-Encoding", "chunked"}});
    if (holds_head()) {
      held_head_ = head;
    } else {
      send(head);
    }
  }
  if (fault_.action == FaultAction::hang_up) {
    close_when_written_ = true;
    return pump();
  }
  const auto feed = feed_ = std::make_shared<WatchFeed>(request, world_.log(), static_cast<EventSink&>(*this));
  arm_timers();
  if (fault_.action == FaultAction::close_code && websocket_) {
    drop_feed();
    return end_websocket(static_cast<std::uint16_t>(fault_.status));
  }
  inject_due();
  if (fault_.action == FaultAction::end && fault_.event == 0) return end_stream();
  feed->begin();
}

void Connection::accept_websocket(const ApiRequest& request, const std::string& protocol) {
  websocket_ = true;
  std::string key = accept_key(request.header("Sec-WebSocket-Key"));
  if (fault_.action == FaultAction::bad_handshake) key[0] = key[0] == 'A' ? 'B' : 'A';
  Headers headers{{"Upgrade", "websocket"}, {"Connection", "Upgrade"}, {"Sec-WebSocket-Accept", key}};
  if (!protocol.empty()) headers.emplace_back("Sec-WebSocket-Protocol", protocol);
  send(head_text(101, headers));
}

void Connection::arm_timers() {
  if (const auto timeout = feed_->timeout()) {
    end_timer_.expires_after(*timeout);
    end_timer_.async_wait([self = shared_from_this()](const auto& failure) {
      if (!failure && self->feed_) self->end_stream();
    });
  }
  arm_bookmark();
}

void Connection::arm_bookmark() {
  if (!feed_->wants_bookmarks() || fault_.action == FaultAction::no_bookmarks) return;
  bookmark_timer_.expires_after(world_.options().bookmark_interval);
  bookmark_timer_.async_wait([self = shared_from_this()](const auto& failure) {
    if (failure || !self->feed_) return;
    self->feed_->bookmark();
    if (self->feed_) self->arm_bookmark();
  });
}

void Connection::drop_feed() {
  if (!feed_) return;
  feed_->stop();
  feed_.reset();
}

void Connection::send_event(const std::string& line) {
  if (!feed_ || fault_.action == FaultAction::mute) return;
  const bool is_bookmark = line.rfind("{\"type\":\"BOOKMARK\"", 0) == 0;
  if (is_bookmark && fault_.action == FaultAction::no_bookmarks) return;
  ++events_;
  if (events_ == fault_.event && fault_.action == FaultAction::cut_event) {
    send(websocket_ ? frame(Opcode::text, line).substr(0, line.size() / 2) : chunk(line).substr(0, line.size() / 2));
    close_when_written_ = true;
    drop_feed();
    return pump();
  }
  if (events_ == fault_.event && fault_.action == FaultAction::half_event) {
    write_event(line.substr(0, line.size() / 2));
    return end_stream();
  }
  write_event(line);
  inject_due();
  if (events_ == fault_.event && fault_.action == FaultAction::end) end_stream();
}

void Connection::inject_due() {
  if (events_ != fault_.event) return;
  if (fault_.action == FaultAction::inject) write_event(fault_.text + "\n");
  if (fault_.action == FaultAction::huge) {
    write_event("{\"type\":\"ADDED\",\"object\":" + huge_object(feed_->type(), fault_.bytes, world_.log().revision()) +
                "}\n");
  }
}

void Connection::write_event(const std::string& line) {
  if (fault_.action == FaultAction::http10 && !websocket_) return send(line);
  if (holds_events() && !websocket_) {
    held_head_ += chunk(line);
    return;
  }
  if (!websocket_) return send(std::exchange(held_head_, "") + chunk(line));
  const Opcode opcode = fault_.action == FaultAction::binary ? Opcode::binary : Opcode::text;
  if (fault_.action != FaultAction::fragment) return send(frame(opcode, line));
  const std::size_t third = line.size() / 3;
  send(frame(opcode, line.substr(0, third), false) + frame(Opcode::continuation, line.substr(third, third), false) +
       frame(Opcode::continuation, line.substr(2 * third)));
}

void Connection::end_stream() {
  if (!feed_) return;
  drop_feed();
  end_timer_.cancel();
  bookmark_timer_.cancel();
  if (websocket_) return end_websocket(1000);
  if (fault_.action != FaultAction::http10) send(std::exchange(held_head_, "") + "0\r\n\r\n");
  finish_request();
}

// x/net/websocket, which the apiserver uses, does not wait for the client's close frame.
void Connection::end_websocket(std::uint16_t code, const std::string& reason) {
  if (close_when_written_) return;
  drop_stream();
  send(close_frame(code, reason));
  close_when_written_ = true;
  pump();
}

// ---- out -----------------------------------------------------------------------------

void Connection::send(std::string bytes) {
  if (closed_ || silent_) return;
  outbox_ += bytes;
  pump();
}

void Connection::pump() {
  if (closed_ || write_under_way_) return;
  if (outbox_.empty() || silent_) {
    if (outbox_.empty() && close_when_written_) close(fault_.reset);
    return;
  }
  std::uint64_t count = outbox_.size();
  const bool bounded = fault_.action == FaultAction::cut || fault_.action == FaultAction::stall;
  if (bounded && sent_ + count >= fault_.bytes) {
    count = fault_.bytes - std::min(fault_.bytes, sent_);
    if (fault_.action == FaultAction::cut) close_when_written_ = true;
    outbox_.resize(static_cast<std::size_t>(count));
    if (count == 0) {
      silent_ = fault_.action == FaultAction::stall;
      return pump();
    }
  }
  if (fault_.action == FaultAction::slow) count = std::min<std::uint64_t>(count, fault_.bytes);
  write_some(static_cast<std::size_t>(count));
}

void Connection::write_some(std::size_t count) {
  write_under_way_ = true;
  writing_ = outbox_.substr(0, count);
  outbox_.erase(0, count);
  sent_ += count;
  channel_->write(boost::asio::buffer(writing_), [self = shared_from_this()](const auto& failure, std::size_t) {
    self->write_under_way_ = false;
    if (failure) return self->close(false);
    if (self->fault_.action != FaultAction::slow) return self->pump();
    self->write_under_way_ = true;
    self->pace_timer_.expires_after(self->fault_.interval);
    self->pace_timer_.async_wait([self](const auto& cancelled) {
      if (cancelled) return;
      self->write_under_way_ = false;
      self->pump();
    });
  });
}

}  // namespace ksr::testserver

// `Connection` serves one client: it reads requests, writes responses and applies faults to them; used by ApiServer and
// World. Lives on the server's thread.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "server/channel.hpp"
#include "server/fault.hpp"
#include "server/frames.hpp"
#include "server/pod_log.hpp"
#include "server/pod_stream.hpp"
#include "server/request.hpp"
#include "server/watch_feed.hpp"

namespace ksr::testserver {

class World;

class Connection final : public std::enable_shared_from_this<Connection>, private EventSink, private StreamSink {
 public:
  Connection(World& world, boost::asio::io_context& io, std::unique_ptr<Channel> channel);
  ~Connection() override;

  void start();
  void close(bool reset);
  // The open watch, or null.
  std::shared_ptr<WatchFeed> watch() const { return feed_; }
  // The log that is followed over it.
  bool follows(const std::string& log_key) const { return log_ != nullptr && log_->query().key == log_key; }
  void on_log(const std::string& log_key, const LogEntry& entry);
  void end_log();
  // The client waits for a script to finish.
  bool runs_script() const { return runs_script_; }

 private:
  // EventSink
  void send_event(const std::string& line) override;
  void end_stream() override;
  // StreamSink
  void send_frames(std::string bytes) override { send(std::move(bytes)); }
  void close_stream(std::uint16_t code, const std::string& reason) override { end_websocket(code, reason); }
  void cut_stream(bool reset) override;
  void hear_client(bool hear) override;

  void read();
  void on_bytes(std::size_t count);
  bool take_request();
  bool parse_head(const std::string& head, ApiRequest& request) const;
  void handle(ApiRequest request);
  void answer(const ApiRequest& request, Reply reply);
  void open_watch(const ApiRequest& request);
  void open_stream(const ApiRequest& request);
  void open_log(const ApiRequest& request);
  void send_log(const std::string& text);
  void accept_websocket(const ApiRequest& request, const std::string& protocol);
  void inject_due();
  void write_event(const std::string& line);
  bool holds_head() const noexcept {
    return fault_.action == FaultAction::hold_head || fault_.action == FaultAction::withhold;
  }
  bool holds_events() const noexcept {
    return fault_.action == FaultAction::withhold || fault_.action == FaultAction::withhold_events;
  }
  void arm_timers();
  void arm_bookmark();
  void take_frames();
  void end_websocket(std::uint16_t code, const std::string& reason = "");
  void finish_request();
  void drop_feed();
  void drop_stream();

  void send(std::string bytes);
  void pump();
  void write_some(std::size_t count);
  void endless_headers();

  World& world_;
  std::unique_ptr<Channel> channel_;
  std::array<char, 16384> space_{};
  std::string inbox_;
  std::string outbox_;
  std::string writing_;
  std::string held_head_;   // of a watch, with its events where they wait too
  std::uint64_t sent_ = 0;  // of the current response
  Fault fault_;
  std::shared_ptr<WatchFeed> feed_;
  std::shared_ptr<PodStream> stream_;
  std::unique_ptr<LogFollower> log_;
  std::string log_protocol_;
  boost::asio::steady_timer end_timer_;
  boost::asio::steady_timer bookmark_timer_;
  boost::asio::steady_timer pace_timer_;
  std::size_t events_ = 0;
  bool busy_ = false;  // a request is being answered
  bool runs_script_ = false;
  bool websocket_ = false;
  bool write_under_way_ = false;
  bool close_when_written_ = false;
  bool keep_alive_ = true;
  bool silent_ = false;  // stalled by a fault: nothing more is sent
  bool closed_ = false;
  bool deaf_ = false;  // nothing more is read
  bool reading_ = false;
};

}  // namespace ksr::testserver

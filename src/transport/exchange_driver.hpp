// `ExchangeDriver` is what HTTP requests and WebSockets have in common: connecting, time limits, reading the response,
// calling the observer, and ending once; used by HttpExchange and WebSocketDriver. Lives on the network thread;
// operations under way keep it alive, so the observer may be destroyed first.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "transport/connection_pool.hpp"
#include "transport/dial.hpp"
#include "transport/inflater.hpp"
#include "transport/response_decoder.hpp"
#include "transport/route.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

class ExchangeDriver : public virtual web::connection_driver,
                       protected ResponseDecoder::Sink,
                       public std::enable_shared_from_this<ExchangeDriver> {
 public:
  // The observer is not called any more, and what is under way is dropped.
  void abandon();
  bool is_sent() const noexcept { return is_sent_; }
  std::string connecting() const { return dial_ ? dial_->step() : std::string(); }
  virtual void pause();
  virtual void resume();
  Executor& executor() const { return route_->executor; }

  void connect(connected done) override;
  void attached(std::shared_ptr<web::connected_stream> stream) override;
  reading receive(const char* data, std::size_t size) override;
  reading end_of_stream() override;
  void stream_failed(const boost::system::error_code& reason, bool while_writing) override;
  void finished() override;
  // Within a catch block: the exception ends this exchange, and is rethrown only if that had ended before.
  void exception_thrown() override;

 protected:
  using Reading = web::connection_driver::reading;

  ExchangeDriver(std::shared_ptr<const Route> route, Request request, ExchangeObserver& observer, bool websocket);
  ~ExchangeDriver() override = default;

  // Releases what the exchange holds beyond this class.
  virtual void release() = 0;

  bool ended() const { return observer_ == nullptr; }
  void end(const std::optional<Error>& error);
  void notify_drained();
  // A body of gzip whose observer has paused rests between two steps of inflating it, so that few bytes do not become
  // many meanwhile. Before more is received, receive_rest() goes on, when the exchange is not paused.
  bool has_rest() const { return rests_; }
  Reading receive_rest();
  // Runs `step`, which the network thread has called.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    try {
      step();
    } catch (...) {
      exception_thrown();
    }
  }

  bool take_head(ResponseHead head) override;
  bool take_body(std::string_view bytes) override;

  void notify_head(const ResponseHead& head);
  bool notify_body(std::string_view bytes);
  void notify_message_end(MessageType type);
  void notify_close(int code, std::string_view reason);
  void notify_pong(std::chrono::microseconds round_trip);
  Instant last_activity() const { return last_activity_; }
  bool paused() const { return paused_; }
  int socket() const { return stream_ ? stream_->native_handle() : -1; }
  // Restarts the time of idle_timeout.
  void note_activity() { last_activity_ = route_->executor.now(); }
  // Of the bytes last received, those after the header section of an accepted upgrade.
  std::size_t unread_bytes() const { return decoder_.unread(); }
  // Request::cut_shows, of the body that is being read.
  bool cut_shows() const {
    // gzip has its end in itself.
    return decoder_.ends_with_connection() && has_body_ && (inflater_ ? inflater_->complete() : cut_shows_);
  }
  // Text from the server, to be shown: on one line, and without the secrets of this exchange.
  std::string from_peer(std::string_view text) const;
  std::string peer() const { return route_->peer(); }
  std::string reading_step() const { return "reading from " + peer(); }

  const std::shared_ptr<const Route> route_;
  const Request request_;
  // Whose idle connections give way to one that is not served.
  std::weak_ptr<ConnectionPool> idle_connections_;
  // Of a request that is not safe: it has been sent, in part at least, and may have been carried out.
  bool maybe_done_ = false;

 private:
  Reading act_on(ResponseDecoder::Progress progress);
  bool choose_coding(const ResponseHead& head);
  bool inflate(std::string_view packed);
  void arm_idle_timer(Instant since);
  void arm_limits();
  void make_way_later();
  void end_with_protocol_error(const std::string& what);

  ExchangeObserver* observer_;
  const bool websocket_;
  ResponseDecoder decoder_;
  std::unique_ptr<Inflater> inflater_;
  bool rests_ = false;
  std::string packed_;                                                    // not inflated yet, of the last read
  ResponseDecoder::Progress progress_ = ResponseDecoder::Progress::more;  // behind that
  std::unique_ptr<Dial> dial_;
  std::shared_ptr<web::connected_stream> stream_;
  std::unique_ptr<Timer> way_timer_;
  std::unique_ptr<Timer> response_timer_;
  std::unique_ptr<Timer> idle_timer_;
  std::unique_ptr<Timer> whole_timer_;
  // Of response_timeout and whole_timeout; empty: without one. They rest while the exchange is paused.
  std::optional<Instant> response_by_;
  std::optional<Instant> whole_by_;
  Instant paused_at_;
  Instant last_activity_;
  bool is_connected_anew_ = false;
  bool has_bytes_ = false;
  bool has_notified_head_ = false;
  bool has_body_ = false;
  bool cut_shows_ = false;
  bool complete_ = false;
  bool paused_ = false;
  bool is_sent_ = false;
};

// What the transport returns for `driver`; destroying it abandons the driver.
std::unique_ptr<Exchange> hold(std::shared_ptr<ExchangeDriver> driver);

}  // namespace ksr::transport

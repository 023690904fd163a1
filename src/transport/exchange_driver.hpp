// What HTTP requests and WebSockets have in common: connecting, the clock, reading the answer, telling the observer,
// and ending once. Lives on the network thread; cpprestsdk keeps it alive while it needs it, so the observer may go
// before.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <memory>
#include <optional>
#include <string>

#include "transport/dial.hpp"
#include "transport/inflater.hpp"
#include "transport/response_decoder.hpp"
#include "transport/route.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

class ExchangeDriver : protected ResponseDecoder::Sink, public std::enable_shared_from_this<ExchangeDriver> {
 public:
  // The observer hears nothing more, and what is under way is dropped.
  void abandon();

 protected:
  using Reading = web::connection_driver::reading;

  ExchangeDriver(std::shared_ptr<const Route> route, Request request, ExchangeObserver& observer, bool websocket);
  ~ExchangeDriver() override = default;

  // Lets go of what cpprestsdk holds.
  virtual void release() = 0;

  bool ended() const { return observer_ == nullptr; }
  void end(const std::optional<Error>& error);

  void dial(bool tunnel, web::connection_driver::connected done);
  void on_attached(std::shared_ptr<web::connected_stream> stream);
  Reading on_receive(const char* data, std::size_t size);
  Reading on_end_of_stream();
  void on_broken(const boost::system::error_code& reason, bool while_writing);
  void on_finished();
  void on_drained();
  // Within a catch block: the exception ends this exchange, and is rethrown only where that had ended before.
  void on_exception();
  // Runs `step`, which the network thread has called.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    try {
      step();
    } catch (...) {
      on_exception();
    }
  }

  bool take_head(ResponseHead head) override;
  bool take_body(std::string_view bytes) override;

  void head_arrived();
  void tell_head(const ResponseHead& head);
  bool tell_body(std::string_view bytes);
  void tell_message_end();
  // Restarts the clock of idle_timeout.
  void heard() { last_heard_ = route_->executor.now(); }
  std::string request_lines() const;
  std::string peer() const { return route_->server.host_port(); }
  std::string reading_step() const { return "reading from " + peer(); }

  const std::shared_ptr<const Route> route_;
  const Request request_;
  const std::string& target() const { return target_; }

 private:
  Reading act_on(ResponseDecoder::Progress progress);
  bool choose_coding(const ResponseHead& head);
  void watch_for_silence(Instant since);
  void end_with_protocol_error(const std::string& what);

  ExchangeObserver* observer_;
  const std::string target_;
  ResponseDecoder decoder_;
  std::unique_ptr<Inflater> inflater_;
  std::unique_ptr<Dial> dial_;
  std::shared_ptr<web::connected_stream> stream_;
  std::unique_ptr<Timer> response_timer_;
  std::unique_ptr<Timer> idle_timer_;
  Instant last_heard_;
  bool head_told_ = false;
  bool complete_ = false;
};

// What the caller of the transport holds.
std::unique_ptr<Exchange> hold(std::shared_ptr<ExchangeDriver> driver);

}  // namespace ksr::transport

// `Call` carries out one request of a session: credentials, exchange, refusal; used by Session, through ListCall and
// WatchCall, which read the body of a success. Lives on the network thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/exception_error.hpp"
#include "base/executor.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "cluster/access.hpp"
#include "json/api_status.hpp"
#include "stream/page_ahead.hpp"
#include "sync/effects.hpp"
#include "transport/transport.hpp"

namespace ksr::stream {

// What a call needs of the session that made it.
class CallOwner {
 public:
  virtual ~CallOwner() = default;
  virtual Executor& executor() const = 0;
  virtual void count_bytes(std::size_t bytes) = 0;
  // Before they were inflated.
  virtual void count_wire_bytes(std::size_t bytes) = 0;
  // What the newest list or watch comes in.
  virtual void note_encoding(bool protobuf) = 0;
  // A list goes on in another page; once a page at most, as soon as it is known.
  virtual void on_next_page(std::string_view continue_token) = 0;
  // An event of that uid is coming: known as early as can be, and a little later once more.
  virtual void expect(std::string_view uid) = 0;
  virtual void expect_soon(std::string_view uid) = 0;
  // The input at hand is processed: what has changed is reported to delivery.
  virtual void flush() = 0;
  // The call has ended; it is destroyed once it has returned to the event loop.
  virtual void retire(sync::RequestId id) = 0;
  // An exception kept the reflector from processing what the call received.
  virtual void on_lost(const Error& error) = 0;
  virtual Logger& logger() = 0;
};

class Call : public transport::ExchangeObserver {
 public:
  // `context`: for the errors of the call.
  Call(CallOwner& owner, sync::RequestId id, ErrorContext context);

  // Obtains credentials and sends the request.
  void start(cluster::Access& access, transport::Request request, bool websocket);
  // The same with a request that is under way.
  void take(cluster::Access& access, std::unique_ptr<PageAhead> page);
  bool is_sent() const noexcept { return exchange_ != nullptr && exchange_->is_sent(); }
  // A part of an object has come, and nothing more for `time`.
  virtual bool is_stalled(Milliseconds /*time*/) const { return false; }
  // Cancels; nothing more reaches the reflector.
  void stop();
  // Logs that stop() follows, and `why`, where that is worth a line.
  virtual void log_stop(const char* /*why*/) noexcept {}

  void on_head(const transport::ResponseHead& head) final;
  void on_wire_bytes(std::size_t count) final { owner_.count_wire_bytes(count); }
  void on_body(std::string_view bytes) final;
  void on_message_end(transport::MessageType type) final;
  void on_drained() final;
  void on_end(const std::optional<Error>& error) final;

 protected:
  virtual bool accepts(int http_status) const = 0;
  virtual void opened() = 0;
  virtual void received(std::string_view bytes) = 0;
  virtual void message_ended() = 0;
  // The body is complete and was a success.
  virtual void completed() = 0;
  virtual void failed(const Error& error, const std::optional<json::ApiStatus>& status) = 0;

  // Ends the call with a failure.
  void fail(const Error& error, const std::optional<json::ApiStatus>& status = std::nullopt);
  // Ends the call; false when it had ended before.
  bool finish();
  bool stopped() const noexcept { return stopped_; }
  sync::RequestId id() const noexcept { return id_; }
  const transport::ResponseHead& head() const noexcept { return head_; }
  const ErrorContext& context() const noexcept { return context_; }
  CallOwner& owner() noexcept { return owner_; }
  Instant now() const { return owner_.executor().now(); }

 private:
  void send(Expected<cluster::RequestAuth> auth, transport::Request request, bool websocket);
  void refuse();
  // Runs `step`. An exception of it is an error of this call, or of the session when the call had ended before.
  template <class Step>
  void guarded(Step&& step) {
    if (stopped_) return;
    try {
      try {
        step();
      } catch (...) {
        if (stopped_) throw;
        fail(error_of_exception());
      }
      if (stopped_) owner_.flush();
    } catch (...) {
      owner_.on_lost(error_of_exception());
    }
  }

  CallOwner& owner_;
  cluster::Access* access_ = nullptr;  // outlives its calls
  const sync::RequestId id_;
  const ErrorContext context_;
  PendingCall pending_;
  std::unique_ptr<transport::Exchange> exchange_;
  transport::ResponseHead head_;
  std::string refusal_;
  std::unique_ptr<Timer> refusal_timer_;
  bool websocket_ = false;
  bool accepted_ = false;
  bool stopped_ = false;
};

}  // namespace ksr::stream

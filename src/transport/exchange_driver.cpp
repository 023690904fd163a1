#include "transport/exchange_driver.hpp"

#include <utility>

#include "base/exception_error.hpp"
#include "base/text.hpp"
#include "base/thread_check.hpp"
#include "transport/failures.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

class HeldExchange final : public Exchange {
 public:
  explicit HeldExchange(std::shared_ptr<ExchangeDriver> driver) : driver_(std::move(driver)) {}
  ~HeldExchange() override {
    KSR_ASSERT_ON_THREAD(driver_->executor());
    driver_->abandon();
  }
  HeldExchange(const HeldExchange&) = delete;
  HeldExchange& operator=(const HeldExchange&) = delete;

  bool maybe_done() const override { return driver_->maybe_done(); }

 private:
  const std::shared_ptr<ExchangeDriver> driver_;
};

}  // namespace

std::unique_ptr<Exchange> hold(std::shared_ptr<ExchangeDriver> driver) {
  return std::make_unique<HeldExchange>(std::move(driver));
}

ExchangeDriver::ExchangeDriver(std::shared_ptr<const Route> route, Request request, ExchangeObserver& observer,
                               bool websocket)
    : route_(std::move(route)),
      request_(std::move(request)),
      observer_(&observer),
      websocket_(websocket),
      decoder_(*this, websocket, request_.method == "HEAD") {}

void ExchangeDriver::abandon() {
  const auto self = shared_from_this();
  observer_ = nullptr;
  dial_.reset();
  response_timer_.reset();
  idle_timer_.reset();
  if (auto stream = std::exchange(stream_, nullptr)) stream->close();
  release();
}

void ExchangeDriver::end(const std::optional<Error>& error) {
  if (ended()) return;
  const auto self = shared_from_this();
  ExchangeObserver& observer = *observer_;
  abandon();
  if (!error || !maybe_done_) return observer.on_end(error);
  Error may_be_done = *error;
  may_be_done.maybe_done = true;
  if (error->status != Status::out_of_memory) may_be_done.message += " (the request may have been carried out)";
  observer.on_end(may_be_done);
}

void ExchangeDriver::connect(connected done) {
  if (ended()) return;
  dial_ = std::make_unique<Dial>(route_, websocket_, [this, done = std::move(done)](Expected<Dial::Stream> outcome) {
    const auto self = shared_from_this();
    const auto finished = std::move(dial_);
    guarded([&] {
      if (!outcome) return end(outcome.error());
      done(std::move(outcome).value());
    });
  });
}

void ExchangeDriver::attached(std::shared_ptr<web::connected_stream> stream) {
  if (ended()) return stream->close();
  stream_ = std::move(stream);
  if (request_.response_timeout.count() == 0) return;
  response_timer_ = route_->executor.schedule(route_->executor.now() + request_.response_timeout, [this] {
    guarded([this] {
      end(timed_out("waiting for the response of " + peer(),
                    "nothing received for " + duration_text(request_.response_timeout.count())));
    });
  });
}

ExchangeDriver::Reading ExchangeDriver::receive(const char* data, std::size_t size) {
  if (ended()) return Reading::close;
  note_activity();
  const ResponseDecoder::Progress progress = decoder_.feed(std::string_view(data, size));
  notify_drained();
  return ended() ? Reading::close : act_on(progress);
}

ExchangeDriver::Reading ExchangeDriver::end_of_stream() {
  if (ended()) return Reading::close;
  if (!decoder_.has_head()) {
    end(transport_error(reading_step(), "the server closed the connection without a response"));
    return Reading::close;
  }
  const ResponseDecoder::Progress progress = decoder_.end_of_stream();
  if (progress != ResponseDecoder::Progress::failed) return act_on(progress);
  // Cut off, which is no protocol error: what came before is valid, and a watch goes on from there.
  end(transport_error(reading_step(), decoder_.problem()));
  return Reading::close;
}

ExchangeDriver::Reading ExchangeDriver::act_on(ResponseDecoder::Progress progress) {
  switch (progress) {
    case ResponseDecoder::Progress::more:
    case ResponseDecoder::Progress::upgraded:
      return Reading::more;
    case ResponseDecoder::Progress::failed:
      end_with_protocol_error(decoder_.problem());
      return Reading::close;
    case ResponseDecoder::Progress::stopped:
      return Reading::close;
    case ResponseDecoder::Progress::complete:
      break;
  }
  if (inflater_ && !inflater_->complete()) {
    end_with_protocol_error("the body ends within its gzip stream");
    return Reading::close;
  }
  // From here the connection belongs to the pool.
  complete_ = true;
  stream_.reset();
  return decoder_.keeps_alive() ? Reading::keep : Reading::close;
}

void ExchangeDriver::notify_drained() {
  if (!ended() && has_notified_head_) observer_->on_drained();
}

void ExchangeDriver::finished() {
  if (complete_) end(std::nullopt);
}

void ExchangeDriver::stream_failed(const boost::system::error_code& reason, bool while_writing) {
  end(io_error(while_writing ? "sending to " + peer() : reading_step(), reason));
}

void ExchangeDriver::exception_thrown() {
  if (ended()) throw;
  Error error = error_of_exception();
  if (error.status != Status::out_of_memory) error = error.within("exchange with " + peer());
  end(error);
}

void ExchangeDriver::end_with_protocol_error(const std::string& what) {
  end(protocol_error("response of " + peer(), what));
}

bool ExchangeDriver::take_head(ResponseHead head) {
  if (ended()) return false;
  if (!choose_coding(head)) return false;
  notify_head(head);
  return !ended();
}

bool ExchangeDriver::choose_coding(const ResponseHead& head) {
  switch (content_coding(head)) {
    case ContentCoding::identity:
      return true;
    case ContentCoding::gzip: {
      // Without a body there is nothing to inflate (RFC 9110, section 6.4.1).
      const bool has_body = head.status != 204 && head.status != 304 && request_.method != "HEAD";
      if (has_body) inflater_ = std::make_unique<Inflater>();
      return true;
    }
    case ContentCoding::unsupported:
      break;
  }
  end_with_protocol_error("its Content-Encoding is " + one_line(joined_values(head, "content-encoding")) +
                          ", expected gzip or identity");
  return false;
}

bool ExchangeDriver::take_body(std::string_view bytes) {
  if (!inflater_) return notify_body(bytes);
  const auto progress = inflater_->feed(bytes, [this](std::string_view unpacked) { return notify_body(unpacked); });
  if (progress == Inflater::Progress::failed) end_with_protocol_error("its gzip stream is damaged");
  return progress == Inflater::Progress::more;
}

void ExchangeDriver::notify_head(const ResponseHead& head) {
  response_timer_.reset();
  note_activity();
  if (request_.idle_timeout.count() != 0) arm_idle_timer(last_activity_);
  has_notified_head_ = true;
  if (!ended()) observer_->on_head(head);
}

bool ExchangeDriver::notify_body(std::string_view bytes) {
  if (ended()) return false;
  observer_->on_body(bytes);
  return !ended();
}

void ExchangeDriver::notify_message_end() {
  if (!ended()) observer_->on_message_end();
}

// Re-armed when it fires, not at each event: that would cost two system calls an event.
void ExchangeDriver::arm_idle_timer(Instant since) {
  idle_timer_ = route_->executor.schedule(since + request_.idle_timeout, [this, since] {
    guarded([this, since] {
      if (last_activity_ > since) return arm_idle_timer(last_activity_);
      end(timed_out(reading_step(), "nothing received for " + duration_text(request_.idle_timeout.count())));
    });
  });
}

}  // namespace ksr::transport

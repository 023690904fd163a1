#include "transport/exchange_driver.hpp"

#include <utility>

#include "base/exception_error.hpp"
#include "base/text.hpp"
#include "transport/failures.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

class HeldExchange final : public Exchange {
 public:
  explicit HeldExchange(std::shared_ptr<ExchangeDriver> driver) : driver_(std::move(driver)) {}
  ~HeldExchange() override { driver_->abandon(); }
  HeldExchange(const HeldExchange&) = delete;
  HeldExchange& operator=(const HeldExchange&) = delete;

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
      target_(route_->server.prefix + request_.target),
      decoder_(*this, websocket) {}

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
  observer.on_end(error);
}

void ExchangeDriver::dial(bool tunnel, web::connection_driver::connected done) {
  if (ended()) return;
  dial_ = std::make_unique<Dial>(route_, tunnel, [this, done = std::move(done)](Expected<Dial::Stream> outcome) {
    const auto self = shared_from_this();
    const auto finished = std::move(dial_);
    guarded([&] {
      if (!outcome) return end(outcome.error());
      done(std::move(outcome).value());
    });
  });
}

void ExchangeDriver::on_attached(std::shared_ptr<web::connected_stream> stream) {
  if (ended()) return stream->close();
  stream_ = std::move(stream);
  if (request_.response_timeout.count() == 0) return;
  response_timer_ = route_->executor.schedule(route_->executor.now() + request_.response_timeout, [this] {
    guarded([this] {
      end(timed_out("waiting for the answer of " + peer(),
                    "silent for " + duration_text(request_.response_timeout.count())));
    });
  });
}

ExchangeDriver::Reading ExchangeDriver::on_receive(const char* data, std::size_t size) {
  if (ended()) return Reading::close;
  heard();
  const ResponseDecoder::Progress progress = decoder_.feed(std::string_view(data, size));
  on_drained();
  return ended() ? Reading::close : act_on(progress);
}

ExchangeDriver::Reading ExchangeDriver::on_end_of_stream() {
  if (ended()) return Reading::close;
  if (!decoder_.has_head()) {
    end(transport_error(reading_step(), "the server closed the connection without an answer"));
    return Reading::close;
  }
  const ResponseDecoder::Progress progress = decoder_.end_of_stream();
  if (progress != ResponseDecoder::Progress::failed) return act_on(progress);
  // Broken off, not nonsense: what came before is good, and a watch goes on from there.
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

void ExchangeDriver::on_drained() {
  if (!ended() && head_told_) observer_->on_drained();
}

void ExchangeDriver::on_finished() {
  if (complete_) end(std::nullopt);
}

void ExchangeDriver::on_broken(const boost::system::error_code& reason, bool while_writing) {
  end(io_error(while_writing ? "sending to " + peer() : reading_step(), reason));
}

void ExchangeDriver::on_exception() {
  if (ended()) throw;
  Error error = error_of_exception();
  if (error.status != Status::out_of_memory) error = error.within("exchange with " + peer());
  end(error);
}

void ExchangeDriver::end_with_protocol_error(const std::string& what) {
  end(protocol_error("answer of " + peer(), what));
}

bool ExchangeDriver::take_head(ResponseHead head) {
  if (ended()) return false;
  if (!choose_coding(head)) return false;
  tell_head(head);
  return !ended();
}

bool ExchangeDriver::choose_coding(const ResponseHead& head) {
  switch (content_coding(head)) {
    case ContentCoding::identity:
      return true;
    case ContentCoding::gzip:
      // 204 and 304 have no body, so there is none to unpack.
      if (head.status != 204 && head.status != 304) inflater_ = std::make_unique<Inflater>();
      return true;
    case ContentCoding::unsupported:
      break;
  }
  end_with_protocol_error("its Content-Encoding is " + one_line(joined_values(head, "content-encoding")) +
                          ", expected gzip or none");
  return false;
}

bool ExchangeDriver::take_body(std::string_view bytes) {
  if (!inflater_) return tell_body(bytes);
  const auto progress = inflater_->feed(bytes, [this](std::string_view unpacked) { return tell_body(unpacked); });
  if (progress == Inflater::Progress::failed) end_with_protocol_error("its gzip stream is damaged");
  return progress == Inflater::Progress::more;
}

void ExchangeDriver::head_arrived() {
  response_timer_.reset();
  heard();
  if (request_.idle_timeout.count() != 0) watch_for_silence(last_heard_);
}

void ExchangeDriver::tell_head(const ResponseHead& head) {
  head_arrived();
  head_told_ = true;
  if (!ended()) observer_->on_head(head);
}

bool ExchangeDriver::tell_body(std::string_view bytes) {
  if (ended()) return false;
  observer_->on_body(bytes);
  return !ended();
}

void ExchangeDriver::tell_message_end() {
  if (!ended()) observer_->on_message_end();
}

// Re-armed when it rings, not at each event: that would cost two system calls an event.
void ExchangeDriver::watch_for_silence(Instant since) {
  idle_timer_ = route_->executor.schedule(since + request_.idle_timeout, [this, since] {
    guarded([this, since] {
      if (last_heard_ > since) return watch_for_silence(last_heard_);
      end(timed_out(reading_step(), "silent for " + duration_text(request_.idle_timeout.count())));
    });
  });
}

std::string ExchangeDriver::request_lines() const {
  std::string lines;
  for (const Header& header : request_.headers) lines += header.name + ": " + header.value + "\r\n";
  return lines;
}

}  // namespace ksr::transport

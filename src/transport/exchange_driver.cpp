#include "transport/exchange_driver.hpp"

#include <utility>

#include "base/exception_error.hpp"
#include "base/secrets.hpp"
#include "base/text.hpp"
#include "base/thread_check.hpp"
#include "transport/failures.hpp"
#include "transport/header_rules.hpp"

namespace ksr::transport {
namespace {

// A gateway that serves so many connections at a time, or one, lets the next one wait until another one is closed.
constexpr Milliseconds kMakeWayAfter{1'000};

class HeldExchange final : public Exchange {
 public:
  explicit HeldExchange(std::shared_ptr<ExchangeDriver> driver) : driver_(std::move(driver)) {}
  ~HeldExchange() override {
    KSR_ASSERT_ON_THREAD(driver_->executor());
    driver_->abandon();
  }
  HeldExchange(const HeldExchange&) = delete;
  HeldExchange& operator=(const HeldExchange&) = delete;

  bool is_sent() const noexcept override { return driver_->is_sent(); }
  std::string connecting() const override { return driver_->connecting(); }
  void pause() override { driver_->pause(); }
  void resume() override {
    const auto driver = driver_;
    driver->resume();
  }

 private:
  const std::shared_ptr<ExchangeDriver> driver_;
};

// Values of other headers are as short only when they are words.
constexpr std::size_t kMinUnnamedSecret = 16;

bool may_be_secret(const Header& header) {
  const std::string name = lower_case(header.name);
  if (names_secret(name) || name == "cookie") return true;
  const bool says_what_is_wanted = set_by(name) == HeaderSetter::library;
  return !says_what_is_wanted && header.value.size() >= kMinUnnamedSecret;
}

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
  // A destructor is the caller: shared_from_this() may throw.
  const auto self = weak_from_this().lock();
  observer_ = nullptr;
  dial_.reset();
  way_timer_.reset();
  response_timer_.reset();
  idle_timer_.reset();
  whole_timer_.reset();
  if (auto stream = std::exchange(stream_, nullptr)) stream->close();
  release();
}

void ExchangeDriver::end(const std::optional<Error>& error) {
  if (ended()) return;
  const auto self = shared_from_this();
  ExchangeObserver& observer = *observer_;
  abandon();
  if (!error || !maybe_done_) return observer.on_end(error);
  Error may_be_done = made_error([&] {
    Error told = *error;
    if (told.status != Status::out_of_memory) told.message += " (the request may have been carried out)";
    return told;
  });
  may_be_done.maybe_done = true;
  observer.on_end(may_be_done);
}

void ExchangeDriver::connect(connected done) {
  if (ended()) return;
  is_connected_anew_ = true;
  if (!paused_) make_way_later();
  const std::optional<Milliseconds> tunnel = websocket_ ? std::optional(request_.response_timeout) : std::nullopt;
  dial_ = std::make_unique<Dial>(route_, tunnel, [this, done = std::move(done)](Expected<Dial::Stream> outcome) {
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
  is_sent_ = true;
  const Instant now = route_->executor.now();
  if (request_.whole_timeout.count() != 0) whole_by_ = now + request_.whole_timeout;
  if (request_.response_timeout.count() != 0) response_by_ = now + request_.response_timeout;
  paused_at_ = now;
  if (!paused_) arm_limits();
}

// Each second, since a connection may have become idle meanwhile. One that is used again and again stays.
void ExchangeDriver::make_way_later() {
  way_timer_ = route_->executor.schedule(route_->executor.now() + kMakeWayAfter, [this] {
    guarded([this] {
      if (const auto pool = idle_connections_.lock()) pool->close_idle(kMakeWayAfter);
      make_way_later();
    });
  });
}

void ExchangeDriver::arm_limits() {
  if (whole_by_) {
    whole_timer_ = route_->executor.schedule(*whole_by_, [this] {
      guarded([this] {
        end(timed_out(reading_step(),
                      "the response did not end within " + duration_text(request_.whole_timeout.count())));
      });
    });
  }
  if (!response_by_) return;
  response_timer_ = route_->executor.schedule(*response_by_, [this] {
    guarded([this] {
      end(timed_out("waiting for the response of " + peer(),
                    (has_bytes_ ? "its header was not complete within " : "nothing received for ") +
                        duration_text(request_.response_timeout.count())));
    });
  });
}

ExchangeDriver::Reading ExchangeDriver::receive(const char* data, std::size_t size) {
  if (ended()) return Reading::close;
  has_bytes_ = true;
  note_activity();
  const ResponseDecoder::Progress progress = decoder_.feed(std::string_view(data, size));
  progress_ = progress;
  notify_drained();
  if (ended()) return Reading::close;
  return rests_ ? Reading::more : act_on(progress);
}

ExchangeDriver::Reading ExchangeDriver::receive_rest() {
  if (ended()) return Reading::close;
  note_activity();
  rests_ = false;
  inflate(std::exchange(packed_, {}));
  notify_drained();
  if (ended()) return Reading::close;
  return rests_ ? Reading::more : act_on(progress_);
}

ExchangeDriver::Reading ExchangeDriver::end_of_stream() {
  if (ended()) return Reading::close;
  if (!decoder_.has_head()) {
    end(transport_error(reading_step(), has_bytes_
                                            ? "the server closed the connection within the header of its response"
                                            : "the server closed the connection without a response"));
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
      end_with_protocol_error(decoder_.problem() +
                              (decoder_.not_http().empty() ? "" : ": " + in_quotes(from_peer(decoder_.not_http()))));
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
  const Error error = error_of_exception();
  if (error.status == Status::out_of_memory) return end(error);
  end(made_error([&] { return error.within("exchange with " + peer()); }));
}

// A peer may repeat whatever it was sent.
std::string ExchangeDriver::from_peer(std::string_view text) const {
  Secrets secrets;
  for (const Header& header : request_.headers) {
    if (may_be_secret(header)) add_credentials(header.value, secrets);
  }
  // "base64url.bearer.authorization.k8s.io.TOKEN" (k8s.io/apiserver/pkg/authentication/request/websocket).
  for (const std::string& subprotocol : list_parts(request_.subprotocol)) {
    constexpr std::string_view kBeforeSecret = ".authorization.k8s.io.";
    const std::size_t at = subprotocol.find(kBeforeSecret);
    if (at != std::string::npos) secrets.add(subprotocol.substr(at + kBeforeSecret.size()));
  }
  if (route_->proxy) add_credentials(route_->proxy->basic_authorization(), secrets);
  return one_line(secrets.blanked(text));
}

void ExchangeDriver::end_with_protocol_error(const std::string& what) {
  end(protocol_error("response of " + peer(), what));
}

bool ExchangeDriver::take_head(ResponseHead head) {
  if (ended()) return false;
  if (!choose_coding(head)) return false;
  if (route_->proxy && !route_->tls) head.proxy = route_->proxy->host_port();
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
  end_with_protocol_error("its Content-Encoding is " + from_peer(joined_values(head, "content-encoding")) +
                          ", expected gzip or identity");
  return false;
}

bool ExchangeDriver::take_body(std::string_view bytes) {
  has_body_ = true;
  if (!inflater_) return notify_body(bytes);
  if (ended()) return false;
  observer_->on_wire_bytes(bytes.size());
  // The body of a refused handshake is short, and nothing goes on with it.
  rests_ = rests_ || (paused_ && !websocket_);
  if (!rests_) return inflate(bytes);
  packed_ += bytes;
  return true;
}

bool ExchangeDriver::inflate(std::string_view packed) {
  const auto progress = inflater_->feed(
      packed, [this](std::string_view unpacked) { return notify_body(unpacked) && (!paused_ || websocket_); });
  if (progress == Inflater::Progress::failed) end_with_protocol_error("its gzip stream is damaged");
  if (ended()) return false;
  rests_ = progress == Inflater::Progress::stopped;
  if (rests_) packed_ = packed;
  return true;
}

void ExchangeDriver::notify_head(const ResponseHead& head) {
  way_timer_.reset();
  response_timer_.reset();
  response_by_.reset();
  note_activity();
  if (request_.idle_timeout.count() != 0) arm_idle_timer(last_activity_);
  has_notified_head_ = true;
  cut_shows_ = request_.cut_shows || shows_its_end(head.content_type);
  if (!ended()) observer_->on_head(head);
}

bool ExchangeDriver::notify_body(std::string_view bytes) {
  if (ended()) return false;
  if (!inflater_) observer_->on_wire_bytes(bytes.size());
  observer_->on_body(bytes);
  return !ended();
}

void ExchangeDriver::notify_message_end(MessageType type) {
  if (!ended()) observer_->on_message_end(type);
}

void ExchangeDriver::notify_close(int code, std::string_view reason) {
  if (!ended()) observer_->on_close(code, reason);
}

void ExchangeDriver::notify_pong(std::chrono::microseconds round_trip) {
  if (!ended()) observer_->on_pong(round_trip);
}

void ExchangeDriver::pause() {
  if (std::exchange(paused_, true)) return;
  paused_at_ = route_->executor.now();
  way_timer_.reset();
  response_timer_.reset();
  whole_timer_.reset();
}

void ExchangeDriver::resume() {
  note_activity();
  if (!std::exchange(paused_, false) || ended()) return;
  const auto rested = last_activity_ - paused_at_;
  if (whole_by_) *whole_by_ += rested;
  if (response_by_) *response_by_ += rested;
  guarded([this] {
    if (is_connected_anew_ && !has_notified_head_) make_way_later();
    arm_limits();
  });
}

// Re-armed when it fires, not at each event: that would cost two system calls an event.
void ExchangeDriver::arm_idle_timer(Instant since) {
  idle_timer_ = route_->executor.schedule(since + request_.idle_timeout, [this, since] {
    guarded([this, since] {
      if (paused_) note_activity();
      if (last_activity_ > since) return arm_idle_timer(last_activity_);
      end(timed_out(reading_step(), "nothing received for " + duration_text(request_.idle_timeout.count())));
    });
  });
}

}  // namespace ksr::transport

#include "cluster/closable_connection.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/exception_error.hpp"

namespace ksr::cluster {
namespace {

class ClosableWatch final : public transport::Exchange, public transport::ExchangeObserver {
 public:
  ClosableWatch(transport::ExchangeObserver& observer, OpenWatches& watches) : observer_(observer) {
    CancellableCallback<void()> end_watch([this] { end(); });
    end_watch_ = end_watch.handle();
    watches.add(std::move(end_watch));
  }

  void runs_on(std::unique_ptr<transport::Exchange> real) { real_ = std::move(real); }

  bool is_sent() const noexcept override { return open_ || (real_ && real_->is_sent()); }
  std::string connecting() const override { return real_ ? real_->connecting() : std::string(); }
  transport::SendStatus send(std::string_view message, transport::MessageType type,
                             std::function<void()>&& written) override {
    return real_ ? real_->send(message, type, std::move(written)) : transport::SendStatus::closed;
  }
  void close(int code, std::string_view reason) override {
    if (real_) real_->close(code, reason);
  }
  void pause() override {
    if (real_) real_->pause();
  }
  void resume() override {
    if (real_) real_->resume();
  }

  void end() {
    wanted_ = false;
    // One that is not open yet is ended when its head has come.
    if (!open_ || !real_) return;
    real_.reset();
    observer_.on_end(std::nullopt);
  }

  // The observer may destroy this in each of the calls.
  void on_head(const transport::ResponseHead& head) override {
    open_ = true;
    if (wanted_) return observer_.on_head(head);
    const CancellableCallback<void()> end_after_head([this] { end(); });
    end_watch_ = end_after_head.handle();
    observer_.on_head(head);
    end_after_head();
  }
  void on_body(std::string_view bytes) override { observer_.on_body(bytes); }
  void on_wire_bytes(std::size_t count) override { observer_.on_wire_bytes(count); }
  void on_message_end(transport::MessageType type) override { observer_.on_message_end(type); }
  void on_close(int code, std::string_view reason) override { observer_.on_close(code, reason); }
  void on_pong(std::chrono::microseconds round_trip) override { observer_.on_pong(round_trip); }
  void on_drained() override { observer_.on_drained(); }
  void on_end(const std::optional<Error>& error) override {
    open_ = false;
    observer_.on_end(error);
  }

 private:
  transport::ExchangeObserver& observer_;
  std::unique_ptr<transport::Exchange> real_;
  bool open_ = false;
  bool wanted_ = true;
  PendingCall end_watch_;
};

}  // namespace

void OpenWatches::add(CancellableCallback<void()> end_watch) {
  const auto ended = [](const CancellableCallback<void()>& other) { return !other.pending(); };
  end_watches_.erase(std::remove_if(end_watches_.begin(), end_watches_.end(), ended), end_watches_.end());
  end_watches_.push_back(std::move(end_watch));
}

void OpenWatches::end() {
  const auto ended = std::exchange(end_watches_, {});
  for_each_despite_exceptions(ended, [](const CancellableCallback<void()>& end_watch) { end_watch(); });
}

template <class Open>
std::unique_ptr<transport::Exchange> ClosableConnection::opened(transport::ExchangeObserver& observer, Open open) {
  auto watch = std::make_unique<ClosableWatch>(observer, *watches_);
  watch->runs_on(open(*watch));
  return watch;
}

std::unique_ptr<transport::Exchange> ClosableConnection::send(transport::Request request,
                                                              transport::ExchangeObserver& observer) {
  if (!request.long_running) return real_->send(std::move(request), observer);
  return opened(observer,
                [&](transport::ExchangeObserver& between) { return real_->send(std::move(request), between); });
}

std::unique_ptr<transport::Exchange> ClosableConnection::open_websocket(transport::Request request,
                                                                        transport::ExchangeObserver& observer) {
  // A command or a forwarded port that runs goes on: it cannot be opened again.
  if (!request.long_running) return real_->open_websocket(std::move(request), observer);
  return opened(observer, [&](transport::ExchangeObserver& between) {
    return real_->open_websocket(std::move(request), between);
  });
}

}  // namespace ksr::cluster

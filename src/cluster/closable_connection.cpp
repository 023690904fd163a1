#include "cluster/closable_connection.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace ksr::cluster {

class ClosableWatch final : public transport::Exchange, public transport::ExchangeObserver {
 public:
  explicit ClosableWatch(transport::ExchangeObserver& observer)
      : observer_(observer), self_(std::make_shared<ClosableWatch*>(this)) {}

  void runs_on(std::unique_ptr<transport::Exchange> real) { real_ = std::move(real); }
  std::weak_ptr<ClosableWatch*> handle() const { return self_; }

  transport::SendStatus send(std::string_view message, transport::MessageType type,
                             std::function<void()> written) override {
    return real_ ? real_->send(message, type, std::move(written)) : transport::SendStatus::closed;
  }
  void close(int code, std::string_view reason) override {
    if (real_) real_->close(code, reason);
  }

  void end() {
    wanted_ = false;
    // One that is not open yet has nothing that could end in order.
    if (!open_ || !real_) return;
    real_.reset();
    observer_.on_end(std::nullopt);
  }

  // The observer may destroy this in each of the calls.
  void on_head(const transport::ResponseHead& head) override {
    const std::weak_ptr<ClosableWatch*> alive = self_;
    observer_.on_head(head);
    if (alive.expired()) return;
    open_ = true;
    if (!wanted_) end();
  }
  void on_body(std::string_view bytes) override { observer_.on_body(bytes); }
  void on_message_end() override { observer_.on_message_end(); }
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
  std::shared_ptr<ClosableWatch*> self_;
};

void OpenWatches::add(std::weak_ptr<ClosableWatch*> watch) {
  const auto gone = [](const std::weak_ptr<ClosableWatch*>& other) { return other.expired(); };
  watches_.erase(std::remove_if(watches_.begin(), watches_.end(), gone), watches_.end());
  watches_.push_back(std::move(watch));
}

void OpenWatches::end() {
  for (const std::weak_ptr<ClosableWatch*>& handle : std::exchange(watches_, {})) {
    if (const auto watch = handle.lock()) (*watch)->end();
  }
}

template <class Open>
std::unique_ptr<transport::Exchange> ClosableConnection::opened(transport::ExchangeObserver& observer, Open open) {
  auto watch = std::make_unique<ClosableWatch>(observer);
  watches_->add(watch->handle());
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
  return opened(observer, [&](transport::ExchangeObserver& between) {
    return real_->open_websocket(std::move(request), between);
  });
}

}  // namespace ksr::cluster

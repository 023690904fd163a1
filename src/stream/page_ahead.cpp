#include "stream/page_ahead.hpp"

#include <utility>

#include "base/exception_error.hpp"
#include "base/thread_check.hpp"
#include "sync/failure.hpp"

namespace ksr::stream {

PageAhead::PageAhead(Executor& executor, cluster::Access& access, transport::Request request)
    : executor_(executor), target_(request.target), headers_(request.headers), request_(std::move(request)) {
  KSR_ASSERT_ON_THREAD(executor_);
  pending_ = access.authenticate(cluster::Purpose::request,
                                 [this](Expected<cluster::RequestAuth> auth) { send_request(std::move(auth)); });
}

PageAhead::~PageAhead() = default;

bool PageAhead::can_serve(const transport::Request& request) const noexcept {
  if (error_) return false;
  // An overloaded server is not asked again at once, but after the pause that its answer asks for.
  if (head_ && !transport::is_success(head_->status) && !sync::is_overload(head_->status)) return false;
  return request.target == target_ && request.headers == headers_;
}

void PageAhead::deliver_to(transport::ExchangeObserver& observer) {
  observer_ = &observer;
  releasing_ = executor_.schedule(executor_.now(), [this] { release(); });
}

void PageAhead::send_request(Expected<cluster::RequestAuth> auth) {
  KSR_ASSERT_ON_THREAD(executor_);
  try {
    if (!auth) return end(auth.error());
    cluster::authorize(request_, *auth);
    transport::ExchangeObserver& self = *this;
    exchange_ = auth->connection->send(std::move(request_), self);
  } catch (...) {
    end(error_of_exception());
  }
}

void PageAhead::release() {
  const std::weak_ptr<bool> alive = alive_;
  const auto releasing = std::move(releasing_);
  released_ = true;
  if (head_) observer_->on_head(*head_);
  if (alive.expired()) return;
  if (wire_bytes_ > 0) observer_->on_wire_bytes(wire_bytes_);
  if (!body_.empty()) observer_->on_body(std::exchange(body_, {}));
  if (alive.expired()) return;
  if (ended_) {
    // Its own, since the observer may destroy this before it reads it.
    const std::optional<Error> error = std::exchange(error_, std::nullopt);
    return observer_->on_end(error);
  }
  if (head_) observer_->on_drained();
  if (!alive.expired() && exchange_ != nullptr) exchange_->resume();
}

void PageAhead::end(const std::optional<Error>& error) {
  if (released_) return observer_->on_end(error);
  ended_ = true;
  if (error) error_ = made_error([&] { return *error; });
}

void PageAhead::on_head(const transport::ResponseHead& head) {
  if (released_) return observer_->on_head(head);
  exchange_->pause();
  try {
    head_ = head;
  } catch (...) {
    end(error_of_exception());
  }
}

void PageAhead::on_wire_bytes(std::size_t count) {
  if (released_) return observer_->on_wire_bytes(count);
  wire_bytes_ += count;
}

void PageAhead::on_body(std::string_view bytes) {
  if (released_) return observer_->on_body(bytes);
  try {
    if (!error_) body_.append(bytes);
  } catch (...) {
    end(error_of_exception());
  }
}

void PageAhead::on_drained() {
  if (released_) observer_->on_drained();
}

void PageAhead::on_end(const std::optional<Error>& error) {
  // What went wrong here before is what counts.
  if (!error_) end(error);
}

}  // namespace ksr::stream

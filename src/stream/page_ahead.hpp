// `PageAhead` is the next page of a list, requested while the one before it still arrives, so that the server makes it
// meanwhile, and held back in the connection until the list gets to it; used by Session. Lives on the network thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/executor.hpp"
#include "cluster/access.hpp"
#include "transport/transport.hpp"

namespace ksr::stream {

// Once it is taken it is the exchange of the call that took it.
class PageAhead final : public transport::Exchange, private transport::ExchangeObserver {
 public:
  // Obtains credentials and sends the request, which must be a GET.
  PageAhead(Executor& executor, cluster::Access& access, transport::Request request);
  ~PageAhead() override;

  // It is this very request, and nothing has gone wrong so far but that the server has too much to do.
  bool can_serve(const transport::Request& request) const noexcept;
  // From now on `observer` gets what has come and what comes; never before this has returned. Once.
  void deliver_to(transport::ExchangeObserver& observer);

  bool is_sent() const noexcept override { return exchange_ != nullptr && exchange_->is_sent(); }
  std::string connecting() const override { return exchange_ ? exchange_->connecting() : std::string(); }

 private:
  void send_request(Expected<cluster::RequestAuth> auth);
  // Delivers what was held back.
  void release();
  void end(const std::optional<Error>& error);

  void on_head(const transport::ResponseHead& head) override;
  void on_wire_bytes(std::size_t count) override;
  void on_body(std::string_view bytes) override;
  void on_drained() override;
  void on_end(const std::optional<Error>& error) override;

  Executor& executor_;
  const std::string target_;
  const std::vector<transport::Header> headers_;
  transport::Request request_;
  PendingCall pending_;
  std::unique_ptr<transport::Exchange> exchange_;
  transport::ExchangeObserver* observer_ = nullptr;
  std::unique_ptr<Timer> releasing_;
  // Expired: destroyed, as the observer may do in each of its calls.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  // What is held back. Of the body no more than had been read when the head came.
  bool released_ = false;
  std::optional<transport::ResponseHead> head_;
  std::size_t wire_bytes_ = 0;
  std::string body_;
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace ksr::stream

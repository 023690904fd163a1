// `ClosableConnection` is a connection whose watches can be ended from outside, by `OpenWatches`; used by SharedAccess,
// so that no watch continues with a client certificate that was replaced. Lives on the network thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/cancellable_callback.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// The watches that were opened with one client certificate.
class OpenWatches {
 public:
  // `end_watch` is cancelled by the watch when it ends otherwise.
  void add(CancellableCallback<void()> end_watch);
  // Without an error, as a server ends them at their timeout.
  void end();

 private:
  std::vector<CancellableCallback<void()>> end_watches_;
};

// Passes everything to `real`, and adds each watch to `watches`.
class ClosableConnection final : public transport::Connection {
 public:
  ClosableConnection(std::shared_ptr<transport::Connection> real, std::shared_ptr<OpenWatches> watches)
      : real_(std::move(real)), watches_(std::move(watches)) {}

  std::unique_ptr<transport::Exchange> send(transport::Request request, transport::ExchangeObserver& observer) override;
  std::unique_ptr<transport::Exchange> open_websocket(transport::Request request,
                                                      transport::ExchangeObserver& observer) override;

 private:
  template <class Open>
  std::unique_ptr<transport::Exchange> opened(transport::ExchangeObserver& observer, Open open);

  std::shared_ptr<transport::Connection> real_;
  std::shared_ptr<OpenWatches> watches_;
};

}  // namespace ksr::cluster

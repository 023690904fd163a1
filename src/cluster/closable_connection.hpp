// Connections whose watches can be ended from here: what was opened with a certificate of yesterday does not live on.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "transport/transport.hpp"

namespace ksr::cluster {

class ClosableWatch;

// The watches that were opened with one client certificate. Lives on the network thread.
class OpenWatches {
 public:
  void add(std::weak_ptr<ClosableWatch*> watch);
  // In order, as a server does that has served them long enough.
  void end();

 private:
  std::vector<std::weak_ptr<ClosableWatch*>> watches_;
};

// Lives on the network thread, like the exchanges it makes. Requests that end by themselves are left to it.
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

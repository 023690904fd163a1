// `start_websocket` opens one WebSocket through cpprestsdk's websocket_callback_client; used by RealConnection. Lives
// on the network thread.
#pragma once

#include "transport/exchange_driver.hpp"

namespace ksr::transport {

// `idle`: connections to the same server, which give way to this one where it is not served.
std::unique_ptr<Exchange> start_websocket(std::shared_ptr<const Route> route, Request request,
                                          ExchangeObserver& observer, std::weak_ptr<ConnectionPool> idle = {});

}  // namespace ksr::transport

// `start_websocket` opens one WebSocket through cpprestsdk's websocket_callback_client; used by RealConnection. Lives
// on the network thread.
#pragma once

#include "transport/exchange_driver.hpp"

namespace ksr::transport {

std::unique_ptr<Exchange> start_websocket(std::shared_ptr<const Route> route, Request request,
                                          ExchangeObserver& observer);

}  // namespace ksr::transport

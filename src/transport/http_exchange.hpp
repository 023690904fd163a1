// One GET over cpprestsdk's http_client.
#pragma once

#include <cpprest/http_client.h>

#include "transport/exchange_driver.hpp"

namespace ksr::transport {

std::unique_ptr<Exchange> start_get(web::http::client::http_client& client, std::shared_ptr<const Route> route,
                                    Request request, ExchangeObserver& observer);

}  // namespace ksr::transport

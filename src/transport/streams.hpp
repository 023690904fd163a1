// Connected streams as cpprestsdk takes them. They live on the network thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <boost/asio/ip/tcp.hpp>
#include <memory>

#include "transport/tls_context.hpp"

namespace ksr::transport {

std::shared_ptr<web::connected_stream> plain_stream(boost::asio::ip::tcp::socket socket);
std::shared_ptr<web::connected_stream> tls_stream(TlsContext::Stream stream);

}  // namespace ksr::transport

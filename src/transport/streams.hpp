// A TCP connection as cpprestsdk takes it. Lives on the network thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <boost/asio/ip/tcp.hpp>
#include <memory>

namespace ksr::transport {

std::shared_ptr<web::connected_stream> plain_stream(boost::asio::ip::tcp::socket socket);

}  // namespace ksr::transport

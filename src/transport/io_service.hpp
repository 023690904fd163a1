// The io_service of cpprestsdk's thread pool, which the network thread runs; used by all of ksr's Asio objects.
#pragma once

#include <boost/asio/io_service.hpp>

namespace ksr::transport {

boost::asio::io_service& io_service();

}  // namespace ksr::transport

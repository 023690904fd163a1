// The io_service that cpprestsdk and everything of ours share.
#pragma once

#include <boost/asio/io_service.hpp>

namespace ksr::transport {

boost::asio::io_service& io_service();

}  // namespace ksr::transport

// Errors of the network, each with the step, host:port and the reason; used by the whole transport. Any thread.
#pragma once

#include <boost/system/error_code.hpp>
#include <string>

#include "base/error.hpp"
#include "base/resource_exhaustion.hpp"

namespace ksr::transport {

// 502: the server could not be reached, or the connection broke.
Error transport_error(const std::string& step, const std::string& reason);
// 408: nothing came for too long.
Error timed_out(const std::string& step, const std::string& after_what);
Error tls_failure(const std::string& step, const std::string& reason);
// 502: what came is not what the protocol allows.
Error protocol_error(const std::string& step, const std::string& what);

// `tls_failure` for OpenSSL's codes, out_of_memory for what this machine has too little of, or else `transport_error`.
Error io_error(const std::string& step, const boost::system::error_code& reason);
using ksr::is_resource_exhaustion;
// Whether what OpenSSL has failed to do on this thread it failed to do for lack of memory. Empties its error queue.
bool openssl_lacks_memory() noexcept;
bool is_resource_exhaustion(const boost::system::error_code& reason) noexcept;
std::string reason_text(const boost::system::error_code& reason);

std::string duration_text(long long milliseconds);

}  // namespace ksr::transport

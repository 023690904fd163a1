// `request_headers` are the headers that every request of a connection has besides Authorization; used by
// resolve_connection. Pure, any thread.
#pragma once

#include <string>
#include <vector>

#include "base/expected.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/connection_spec.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// User-Agent, Impersonate-* and header.NAME, in this order.
Expected<std::vector<transport::Header>> request_headers(const Impersonation& impersonation,
                                                         const ConnectionOptions& options);

}  // namespace ksr::cluster

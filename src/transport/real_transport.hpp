// The transport over cpprestsdk and the network thread.
#pragma once

#include "transport/dns_resolver.hpp"
#include "transport/network_thread.hpp"
#include "transport/transport.hpp"

namespace ksr::transport {

// Never destroyed. Throws std::bad_alloc when the network thread cannot be started.
Transport& real_transport();

// One that resolves names in its own way.
std::unique_ptr<Transport> make_transport(LookUp look_up);

}  // namespace ksr::transport

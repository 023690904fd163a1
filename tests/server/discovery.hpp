// `discovery_document` returns the discovery documents /api, /apis and those below, plain and aggregated; used by
// World. Pure: on any thread.
#pragma once

#include "server/request.hpp"
#include "server/resource_type.hpp"

namespace ksr::testserver {

// `aggregated`: APIGroupDiscoveryList is served to requests that accept it.
Reply discovery_document(const ApiRequest& request, const ResourceTypes& types, bool aggregated);

}  // namespace ksr::testserver

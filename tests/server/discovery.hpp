// The discovery documents: /api, /apis and what lies below, plain and aggregated. Pure.
#pragma once

#include "server/request.hpp"
#include "server/resource_type.hpp"

namespace ksr::testserver {

// `aggregated`: APIGroupDiscoveryList is known and given to those who ask for it.
Reply discovery_document(const ApiRequest& request, const ResourceTypes& types, bool aggregated);

}  // namespace ksr::testserver

// `sharing_key` says which streams may share one list, watch and cache; used by Stream. Pure. Any thread.
#pragma once

#include <string>

#include "cluster/access.hpp"
#include "stream/config.hpp"

namespace ksr::stream {

// Equal for two streams exactly when they ask for the same objects, kept in the same way, over the same Access: that
// has the same server and the same source of credentials. Names no secret. The Access has to exist as long as the key
// is compared.
std::string sharing_key(const Config& config, const cluster::Access& access);

}  // namespace ksr::stream

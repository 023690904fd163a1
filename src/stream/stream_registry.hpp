// `StreamRegistry` maps the handles of open streams to them; used by abi/, open() and client::Client. Any thread.
#pragma once

#include "base/handle_registry.hpp"
#include "stream/stream.hpp"

namespace ksr::stream {

using StreamRegistry = HandleRegistry<Stream>;

}  // namespace ksr::stream

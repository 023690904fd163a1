// What the streams of one server share: what it refused before, and how many requests may be on their way to it.
// Lives on the network thread.
#pragma once

namespace ksr::sync {

// SKETCH, to be filled in by the room.
class ServerMemory {};

}  // namespace ksr::sync

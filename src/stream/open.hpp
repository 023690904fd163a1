// `open` opens a stream on the process's Runtime; used by ksr_open and client::Client. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/expected.hpp"
#include "base/instant.hpp"
#include "delivery/host.hpp"
#include "stream/config.hpp"
#include "stream/stream_registry.hpp"

namespace ksr::stream {

// Makes the stream, puts it into the registry under `number` and lets its callbacks come. `host` is gone when this
// fails. `client`: of a stream that belongs to one.
Expected<void> open(Handle number, const Config& config, std::unique_ptr<delivery::Host> host,
                    std::optional<ClientParts> client = std::nullopt);

// Negative: no limit.
std::optional<Milliseconds> timeout_from(std::int64_t milliseconds) noexcept;

}  // namespace ksr::stream

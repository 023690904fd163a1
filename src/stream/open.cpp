#include "stream/open.hpp"

#include <algorithm>
#include <utility>

#include "stream/fork_guard.hpp"
#include "stream/runtime.hpp"
#include "stream/stream.hpp"
#include "transport/exit_guard.hpp"

namespace ksr::stream {

Expected<void> open(Handle number, const Config& config, std::unique_ptr<delivery::Host> host,
                    std::optional<ClientParts> client) {
  // Also of an open that fails below: the network thread runs then.
  claim_process();
  // Before the network thread is started.
  transport::register_atexit_hook();
  auto stream = Stream::create(config, std::move(host), Runtime::instance(), std::move(client));
  if (!stream) return std::move(stream).error();
  try {
    // A callback may ask for its stream as soon as it starts.
    StreamRegistry::instance().put(number, *stream);
    (*stream)->start();
  } catch (...) {
    (*stream)->abandon();
    StreamRegistry::instance().remove(number);
    throw;
  }
  return {};
}

std::optional<Milliseconds> timeout_from(std::int64_t milliseconds) noexcept {
  if (milliseconds < 0) return std::nullopt;
  // A wait of years would overflow the clock it is added to.
  constexpr std::int64_t longest = std::int64_t{365} * 24 * 60 * 60 * 1000;
  return Milliseconds(std::min(milliseconds, longest));
}

}  // namespace ksr::stream

#include "sync/watch_connection.hpp"

#include <algorithm>

namespace ksr::sync {

using std::chrono::seconds;

RequestContext WatchConnection::asked() const {
  RequestContext asked;
  asked.what =
      request.send_initial_events && (initial || !open) ? RequestContext::What::watchlist : RequestContext::What::watch;
  asked.websocket = request.websocket;
  asked.opened = open;
  asked.at_version = asked.what == RequestContext::What::watchlist && !request.resource_version.empty();
  return asked;
}

void WatchConnection::set_open(Instant now) {
  open = true;
  opened = now;
  last_received = now;
  const Milliseconds timeout = request.timeout;
  rotate_at = now + timeout - std::min(kRotationLead, timeout / 4);
}

seconds draw_watch_timeout(const std::optional<Milliseconds>& configured, Random& random) {
  if (configured) return std::max(seconds(1), std::chrono::ceil<seconds>(*configured));
  constexpr seconds kMinTimeout{300};
  return kMinTimeout + seconds(static_cast<seconds::rep>(random.unit() * 301));
}

}  // namespace ksr::sync

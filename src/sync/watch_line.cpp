#include "sync/watch_line.hpp"

#include <algorithm>

namespace ksr::sync {

using std::chrono::seconds;

Asked WatchLine::asked() const {
  Asked asked;
  asked.what = request.send_initial_events && (initial || !open) ? Asked::What::watchlist : Asked::What::watch;
  asked.websocket = request.websocket;
  asked.opened = open;
  asked.at_version = asked.what == Asked::What::watchlist && !request.resource_version.empty();
  return asked;
}

void WatchLine::set_open(Instant now) {
  open = true;
  opened = now;
  last_heard = now;
  const Milliseconds timeout = request.timeout;
  rotate_at = now + timeout - std::min(kRotationLead, timeout / 4);
}

seconds draw_watch_timeout(const std::optional<Milliseconds>& configured, Random& random) {
  if (configured) return std::max(seconds(1), std::chrono::ceil<seconds>(*configured));
  constexpr seconds shortest{300};
  return shortest + seconds(static_cast<seconds::rep>(random.unit() * 301));
}

}  // namespace ksr::sync

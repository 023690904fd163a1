// One watch of a reflector: being opened, or open. Pure data with its deadlines; lives with its reflector.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "base/instant.hpp"
#include "base/random.hpp"
#include "sync/effects.hpp"
#include "sync/failure.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync {

struct WatchConnection {
  // Nothing of a WatchList's initial events for so long: the server does not send them.
  static constexpr Milliseconds kInitialSilence{30'000};
  // The transport has its own, shorter limits for a request without an answer; this is the last resort.
  static constexpr Milliseconds kOpeningLimit{150'000};
  // The server ends a watch at its timeoutSeconds; what lives longer is half open.
  static constexpr Milliseconds kOverdue{5'000};
  // How long before the end the next watch is opened, for a watch that lasts long enough.
  static constexpr Milliseconds kRotationLead{10'000};
  // A watch without a single event, shorter than this, may be how the server says that its resourceVersion is too old.
  static constexpr Milliseconds kVeryShort{2'000};
  // Open for so long, or for all of its timeout, is health even without an event.
  static constexpr Milliseconds kHealthy{120'000};
  // What a younger watch sends may be backlog: it proves nothing about now.
  static constexpr Milliseconds kCatchingUp{10'000};

  RequestId id = 0;  // 0: waits for its turn
  WatchRequest request;
  Instant started{};
  Instant opened{};
  Instant last_received{};
  bool open = false;
  // A WatchList that has not sent all initial events yet.
  bool initial = false;
  // Sent an event or a bookmark, initial events not counted.
  bool told = false;
  bool bookmarked = false;
  // What arrives until then may be backlog of a sleep: it proves nothing at all.
  Instant backlog_until{};
  // When its successor is to be opened, and whether it was.
  Instant rotate_at{};
  bool rotated = false;
  // The newest resourceVersion it has sent, at first the one it began at.
  std::string version;

  RequestContext asked() const;
  bool very_short(Instant now) const { return !told && now - opened < kVeryShort; }
  bool healthy(Instant now) const { return open && now - opened >= std::min<Milliseconds>(kHealthy, request.timeout); }
  // What arrives now was news when it was sent.
  bool caught_up(Instant now) const { return now >= backlog_until && (bookmarked || now - opened >= kCatchingUp); }
  // When it has lived longer than it can.
  Instant deadline() const { return open ? opened + request.timeout + kOverdue : started + kOpeningLimit; }
  void set_open(Instant now);
};

// timeoutSeconds of the next watch: as configured, or uniform in 5 to 10 minutes (client-go reflector.go, watch).
std::chrono::seconds draw_watch_timeout(const std::optional<Milliseconds>& configured, Random& random);

}  // namespace ksr::sync

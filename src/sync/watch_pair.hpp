// `WatchPair` holds a reflector's watch and the successor that replaces it before its timeout, with their deadlines;
// used by Reflector. Lives on the reflector's thread.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "base/instant.hpp"
#include "base/random.hpp"
#include "sync/effects.hpp"
#include "sync/failure.hpp"
#include "sync/request_limiter.hpp"

namespace ksr::sync {

// After so long without a byte within an event that event is held back.
constexpr Milliseconds kStallCheck{2'000};
// What comes at most so far apart came in one block.
constexpr Milliseconds kTogether{50};

// How long a watch may be silent. The watch cache sends a bookmark about every minute (apiserver cacher.go,
// bookmarkFrequency). A watch that has been silent for 2.5 times the interval observed, and for 90 s at least, is dead
// whatever TCP says.
class BookmarkHeartbeat {
 public:
  static constexpr Milliseconds kMinSilence{90'000};
  // What silence_limit() is where a server sends a bookmark a minute. One that sends none may be silent for longer: the
  // next watch shows it at little cost.
  static constexpr Milliseconds kUsualSilence{150'000};

  void note_bookmark(Instant now);
  // A new watch: the time to its first bookmark is not an interval.
  void begin_watch() noexcept { last_.reset(); }
  // Empty until one watch has sent two bookmarks.
  std::optional<Milliseconds> silence_limit() const;
  // When the first message of a watch, or of one that succeeds it, is overdue; empty until one has sent a bookmark.
  std::optional<Milliseconds> first_limit() const;

 private:
  std::array<Milliseconds, 5> intervals_{};
  std::size_t count_ = 0;
  bool seen_ = false;
  std::optional<Instant> last_;
};

// One watch, from its creation to its end.
struct WatchConnection {
  enum class Stage {
    queued,          // waits for a slot
    opening,         // requested
    awaiting_head,   // requested over HTTP and sent; a gateway may keep the head back until the first event
    initial_events,  // open; a WatchList that has not sent all initial events yet
    streaming,       // open
    revalidating,    // open, but the machine has slept since: the connection may be dead
  };

  RequestId id = 0;  // 0: queued
  WatchRequest request;
  Stage stage = Stage::queued;
  Instant started{};
  Instant opened{};
  Instant last_received{};
  // When its head came; `opened` is earlier where that was late.
  Instant head_at{};
  Instant first_message_at{};
  // How long initial events may take as a whole.
  Milliseconds initial_limit{};
  // transport=auto: another transport can be tried.
  bool http_possible = false;
  // Has passed on an event, a bookmark or an ERROR: its transport gets through.
  bool has_message = false;
  // Has sent an event or a bookmark; initial events and the bookmark that ends them do not count.
  bool has_progress = false;
  bool has_bookmark = false;
  // What arrives until then may be backlog: of a sleep, or kept back together with the head.
  Instant backlog_until{};
  // When its successor is to be requested; empty before it is open, and once that was done.
  std::optional<Instant> rotate_at;
  // When it is to be looked at whether an event came in part; empty: nothing has come since.
  std::optional<Instant> stall_check_at;
  // Over HTTP: its head may have come with the first block that a gateway had filled.
  bool may_stall = false;
  // When it is to be looked at whether only the head is missing; empty over WebSocket and with initial events.
  std::optional<Instant> head_check_at;
  // awaiting_head: until when.
  Instant head_until{};
  // Since when neither it nor the watches that it succeeded have passed on anything.
  Instant silent_since{};
  // When its first message is known to have come by itself, if it has not ended before; empty: that does not matter.
  std::optional<Instant> settled_at;
  // When it is to be found out whether its events come by themselves; empty: that is known, or cannot be.
  std::optional<Instant> probe_at;
  // When one that has passed on nothing is to be replaced; empty: it has, or there is no other transport.
  std::optional<Instant> mute_at;
  // The newest resourceVersion it has sent, at first the one it began at.
  std::string version;

  bool requested() const noexcept { return stage == Stage::opening || stage == Stage::awaiting_head; }
  bool open() const noexcept { return stage >= Stage::initial_events; }
  bool streaming() const noexcept { return stage >= Stage::streaming; }
  // What comes now did not come in one block with the first message.
  bool is_past_first_block(Instant now) const noexcept { return now - first_message_at > kTogether; }
  // While it is open: what it has passed on came neither with the head nor with the end.
  bool came_by_itself(Instant now) const noexcept {
    return has_message && first_message_at - head_at > kTogether && is_past_first_block(now);
  }
  RequestContext context() const;
  // Open long enough to count as healthy even without an event.
  bool healthy(Instant now) const;
  // Has closed so soon, without an event, that its resourceVersion may have expired.
  bool very_short(Instant now) const;
  // What arrives now was sent just now, and is not backlog.
  bool caught_up(Instant now) const;
  // When it has lived longer than it can, or its initial events should have ended.
  Instant deadline() const;
  bool had_time_for_initial_events(Instant now) const;
  // Only the head is missing: it may come until `limit` after the request.
  void await_head(Milliseconds limit);
  void set_open(Instant now);
  void set_revalidating(Instant now);
};

// timeoutSeconds of the next watch: as configured, or uniform in 5 to 10 minutes (client-go reflector.go, watch).
std::chrono::seconds draw_watch_timeout(const std::optional<Milliseconds>& configured, Random& random);

// How long the head of an HTTP watch may be missing where the interval of the bookmarks, the first of which brings it,
// is not known: 2.5 times the usual minute. Without bookmarks: as long as the watch.
Milliseconds head_limit(const BookmarkHeartbeat& heartbeat, const WatchRequest& request, bool has_bookmarks);

class WatchPair {
 public:
  WatchPair(Effects& effects, RequestLimiter& limiter, RequestLimiter::Member& member);

  // nullptr: there is none.
  WatchConnection* watch() noexcept { return watch_ ? &*watch_ : nullptr; }
  const WatchConnection* watch() const noexcept { return watch_ ? &*watch_ : nullptr; }
  WatchConnection* successor() noexcept { return successor_ ? &*successor_ : nullptr; }
  const WatchConnection* successor() const noexcept { return successor_ ? &*successor_ : nullptr; }
  enum class Role { none, watch, successor };
  Role role_of(RequestId id) const noexcept;
  BookmarkHeartbeat& heartbeat() noexcept { return heartbeat_; }
  const BookmarkHeartbeat& heartbeat() const noexcept { return heartbeat_; }

  // The places among the server's requests in flight: of the list or the watch, and of the successor.
  RequestLimiter::Slot& slot() noexcept { return *slot_; }
  const RequestLimiter::Slot& slot() const noexcept { return *slot_; }
  RequestLimiter::Slot& successor_slot() noexcept { return *successor_slot_; }
  // The successor waits for its slot, and it was granted.
  bool successor_may_start() const noexcept;

  WatchConnection& add_watch(WatchRequest request);
  WatchConnection& add_successor(WatchRequest request);
  // Sends its request; it begins after `version`, unless it asks for initial events.
  void start(WatchConnection& connection, RequestId id, const std::string& version, Instant now);
  // The request of `role` was answered. A successor replaces the watch, which is stopped: what that one has not sent
  // yet, the successor sends, since it began at what had been seen.
  void open(Role role, Instant now);
  // After the watch was dropped: the successor becomes the watch. False: it had not been requested, and is gone; its
  // slot is kept.
  bool promote_successor();

  enum class Request { running, ended };
  void drop_watch(Request request);
  void drop_successor(Request request);
  void drop_all();

  // Counts watches in a row that were very short; true at the `limit`th, and counting starts over.
  bool ends_as_if_expired(Instant now, int limit);
  void note_healthy() noexcept { very_short_in_a_row_ = 0; }

  bool rotation_is_due(Instant now) const noexcept;
  // The next watch is requested at once, or soon: within twice the usual lead.
  void bring_rotation_forward(bool at_once, Random& random, Instant now);
  // Empty: nothing is waited for.
  std::optional<Instant> next_deadline() const;

 private:
  Effects& effects_;
  std::optional<WatchConnection> watch_;
  std::optional<WatchConnection> successor_;
  BookmarkHeartbeat heartbeat_;
  int very_short_in_a_row_ = 0;
  // Pointers, so that a promoted successor keeps its slot.
  std::unique_ptr<RequestLimiter::Slot> slot_;
  std::unique_ptr<RequestLimiter::Slot> successor_slot_;
};

}  // namespace ksr::sync

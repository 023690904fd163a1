// The inside of Reflector, told in six files: its course (reflector.cpp), lists (reflector_list.cpp), watches
// (reflector_watch.cpp) and their end (reflector_watch_end.cpp), what comes after a failure (reflector_recovery.cpp),
// and time (reflector_time.cpp).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sync/backoff.hpp"
#include "sync/bookmark_heartbeat.hpp"
#include "sync/candidates.hpp"
#include "sync/expected_type.hpp"
#include "sync/failure.hpp"
#include "sync/immediate_retry.hpp"
#include "sync/owned_item.hpp"
#include "sync/pager.hpp"
#include "sync/reflector.hpp"
#include "sync/request_limiter.hpp"
#include "sync/transport_choice.hpp"
#include "sync/watch_connection.hpp"

namespace ksr::sync {

// Lives on the thread that feeds the reflector.
class Reflector::Impl final : public RequestLimiter::Member {
 public:
  Impl(const Options& options, Effects& effects, std::shared_ptr<ServerState> memory, Random& random, Logger& logger);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void start(Instant now);
  void cancel();

  void on_list_item(RequestId id, const json::Item& item);
  void on_list_end(RequestId id, const json::ListMeta& meta, Instant now);
  void on_list_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status, Instant now);

  void on_watch_open(RequestId id, Instant now);
  void on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now);
  void on_watch_bookmark(RequestId id, std::string_view version, bool initial_events_end, Instant now);
  void on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now);
  void on_watch_bad_event(RequestId id, const Error& error, Instant now);
  void on_watch_end(RequestId id, Instant now);
  void on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status, Instant now);

  void on_timer(Instant now);
  void on_clock_jump(Instant now);
  void arm();
  void on_lost(const Error& error, Instant now);

  State state() const noexcept { return state_; }
  const Counters& counters() const noexcept { return counters_; }
  std::optional<Instant> fresh_at() const noexcept { return fresh_at_; }
  std::optional<Instant> next_try_at() const noexcept;

 private:
  enum class Phase {
    idle,
    queued,    // waits for the governor's slot
    listing,   // a page is on its way
    watching,  // line_ is being opened, or open
    waiting,   // until retry_at_
    over,      // cancelled, or failed for good
  };
  enum class Aim { list, watch };

  // --- course
  void pursue(Aim aim, Instant now);
  void dispatch(Instant now);
  void set_state(State state);
  void prove_fresh(Instant as_of);
  void note_health();
  void drop_requests();
  void finish();
  void log(LogLevel level, const std::string& line);

  // --- RequestLimiter::Member
  void on_slot_granted(Instant now) override;
  void on_server_back(Instant now, Milliseconds spread) override;

  // --- lists
  bool wants_watchlist() const;
  void begin_staging();
  void abandon_staging();
  void open_list(Instant now);
  void request_page();
  void fail_list(const Error& error, RecoveryAction action, Instant now);
  bool accept_version(std::string_view version, bool at_version, Instant now);
  void commit(std::string_view version, Instant as_of, Instant now);
  std::string list_version() const;
  std::string state_key() const;

  // --- watches
  bool is_open_watch(RequestId id) const noexcept { return watch_ && watch_->id == id && watch_->open; }
  WatchConnection next_watch();
  void begin_watch_request(WatchConnection& line, Instant now);
  void open_watch(Instant now, bool initial);
  void take_over(Instant now);
  void handle_initial(json::EventType type, const json::Item& item);
  void handle_change(json::EventType type, const json::Item& item, Instant now);
  bool went_back(std::string_view version, const char* what, Instant now);
  void advance_to(std::string_view version);
  void end_initial(std::string_view version, Instant now);
  void mark_consistent();
  void mark_inconsistent(const Error& error, Instant now);
  enum class Line { running, ended };
  bool ends_as_if_too_old(Instant now);
  void note_handshake(const WatchConnection& line, const Error& error, const std::optional<json::ApiStatus>& status);
  void drop_watch(Line line, Instant now);
  void drop_successor();
  bool promote_successor(Instant now);
  void reopen(Instant now);
  void fail_watch(Line line, const Error& error, RecoveryAction action, Instant now);
  void fail_successor(const Error& error, Instant now);

  // --- recovery
  void recover(const Error& error, RecoveryAction action, Instant now);
  void refresh_credentials(const Error& error, Instant now);
  void next_candidate(const Error& error, Instant now);
  void at_once_or_later(const Error& error, Aim aim, Instant now);
  void retry(const Error& error, Aim aim, Instant now);
  void retry_slowly(const Error& error, Aim aim, Instant now);
  void wait(const Error* error, Milliseconds delay, Aim aim, Instant now);
  void give_up(const Error& error);
  void without_a_choice(const Error& error, Instant now);
  void note_failure(const Error& error, Instant now);

  // --- time
  void arm_within_another();
  std::optional<Instant> next_moment() const;
  void use_grants(Instant now);
  void try_again(Instant now);
  void check_watch(Instant now);
  void check_initial(Instant now);
  void check_successor(Instant now);
  void rotate(Instant now);
  void on_idle_timeout(const std::string& message, Instant now);
  void revalidate_request(bool probe, Instant now);
  void revalidate_watch(bool probe, Instant now);

  const Options options_;
  Effects& effects_;
  const std::shared_ptr<ServerState> server_state_;
  Random& random_;
  Logger& logger_;

  Phase phase_ = Phase::idle;
  Aim aim_ = Aim::list;
  State state_ = State::connecting;
  Counters counters_;
  RequestId last_id_ = 0;

  // What is known of the view.
  bool synced_ = false;
  std::string version_;
  ExpectedType expected_type_;
  bool events_kind_ = false;
  std::optional<Instant> fresh_at_;

  // The list on its way.
  RequestId list_id_ = 0;
  Pager pager_;
  bool staging_ = false;
  Instant list_started_{};
  std::optional<Error> bad_item_;
  bool most_recent_next_ = false;
  bool plain_list_next_ = false;
  bool listed_at_version_ = false;
  int lists_gone_back_ = 0;
  // What was deleted while a WatchList sent its initial events.
  std::vector<OwnedItem> deleted_meanwhile_;

  // The watch, and the one that is to take its place.
  std::optional<WatchConnection> watch_;
  std::optional<WatchConnection> successor_;
  int very_short_in_a_row_ = 0;
  bool revalidating_ = false;

  // What comes after a failure.
  Candidates candidates_;
  TransportChoice transport_;
  Backoff backoff_;
  ImmediateRetry immediate_retry_;
  BookmarkHeartbeat heartbeat_;
  bool credentials_refreshed_ = false;
  bool unreachable_ = false;
  bool server_recovered_ = false;
  bool retry_is_due_ = false;  // the wait is over, but the server's budget makes it a little longer
  std::optional<Instant> retry_at_;
  std::optional<Instant> armed_;
  std::optional<Instant> granted_at_;

  // Destroyed first: they may hand slots on to other members. Pointers, so that a successor takes its ticket with it.
  std::unique_ptr<RequestLimiter::Slot> slot_;
  std::unique_ptr<RequestLimiter::Slot> successor_slot_;
};

}  // namespace ksr::sync

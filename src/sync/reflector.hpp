// `Reflector` is the list+watch state machine of one stream, as client-go's Reflector: inputs in, Effects out; used by
// stream::Session. Pure logic: no I/O, no threads, no clock of its own.
// Lives on one thread, on which all its inputs are called: stream's network thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "json/api_status.hpp"
#include "json/item.hpp"
#include "json/list_reader.hpp"
#include "json/watch_reader.hpp"
#include "sync/effects.hpp"
#include "sync/failure.hpp"
#include "sync/list_run.hpp"
#include "sync/request_limiter.hpp"
#include "sync/retry_plan.hpp"
#include "sync/server_state.hpp"
#include "sync/sync_options.hpp"
#include "sync/version_check.hpp"
#include "sync/watch_pair.hpp"
#include "sync/watch_probe.hpp"

namespace ksr::sync {

// The counters of ksr_stat that the state machine increments.
struct Counters {
  std::uint64_t events = 0;
  std::uint64_t bookmarks = 0;
  std::uint64_t lists = 0;
  std::uint64_t watches = 0;
  std::uint64_t reconnects = 0;
  std::uint64_t relists = 0;
  std::uint64_t errors = 0;
};

class Reflector final : private RequestLimiter::Member {
 public:
  // `server_state` is shared by all streams of the server on this thread.
  Reflector(const Options& options, Effects& effects, std::shared_ptr<ServerState> server_state, Random& random,
            Logger& logger);
  ~Reflector();
  Reflector(const Reflector&) = delete;
  Reflector& operator=(const Reflector&) = delete;

  void start(Instant now);
  // Stops all requests and the timer; no effect comes afterwards.
  void cancel();

  // --- inputs of a list. Inputs of a request that was stopped or has ended are ignored. -----------------------------
  // One page: items, then its end or its failure.
  void on_list_item(RequestId id, const json::Item& item, Instant now);
  // One that is not in the list, though the server has it.
  void on_list_bad_item(RequestId id, const Error& error);
  void on_list_end(RequestId id, const json::ListMeta& meta, Instant now);
  // An HTTP error status (error.http_status, reason, retry_after; `status` where the body was one), an invalid body, a
  // timeout.
  void on_list_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status, Instant now);

  // --- inputs of a watch --------------------------------------------------------------------------------------------
  void on_watch_open(RequestId id, Instant now);
  void on_watch_event(RequestId id, json::EventType type, const json::Item& item, Instant now);
  // An event has begun, and did not end with what has come.
  void on_watch_event_begun(RequestId id, Instant now);
  void on_watch_bookmark(RequestId id, std::string_view resource_version, bool initial_events_end, Instant now);
  void on_watch_error_event(RequestId id, const json::ApiStatus& status, Instant now);
  void on_watch_bad_event(RequestId id, const Error& error, json::BadEvent event, Instant now);
  // Ended in order (the server's timeout, a clean close).
  void on_watch_end(RequestId id, Instant now);
  // Refused before it opened (`status` where the body was one), or broken afterwards.
  void on_watch_failed(RequestId id, const Error& error, const std::optional<json::ApiStatus>& status, Instant now);

  // --- other inputs -------------------------------------------------------------------------------------------------
  void on_timer(Instant now);
  // The machine slept: open connections may be dead, and waits need not be finished.
  void on_clock_jump(Instant now);
  // What Effects::ask_newest_version() asked for.
  void on_newest_version(std::string_view version, Instant now);
  // After Effects::resolve_again(): the resource has other names, `candidates` of them. Empty: it has none, as far as
  // is known, or the same.
  void on_resolved(std::optional<std::size_t> candidates, Instant now);
  // Sets the timer if an exception kept it from being set.
  void rearm();
  // An exception interrupted the reflector or its effects, so the state of the requests is unknown. They are dropped,
  // and what they were for is tried again after the backoff.
  void on_exception(const Error& error, Instant now);

  State state() const noexcept { return state_; }
  const Counters& counters() const noexcept { return counters_; }
  // When the view was last proven current; empty: never.
  std::optional<Instant> fresh_at() const noexcept { return fresh_at_; }
  // What the newest watch goes over; `automatic`: there was none yet.
  WatchTransport transport() const noexcept { return transport_; }
  // See ListRun.
  std::optional<bool> shard_by_server() const noexcept { return list_.shard_by_server(); }
  // When the next try is due; empty: no try is waiting.
  std::optional<Instant> next_try_at() const noexcept { return retry_.next_try_at(); }
  // In on_error: what has failed is a list, not a watch.
  bool failed_in_list() const noexcept { return failed_in_list_; }
  // In on_state: the next list is waited for because the resource has no watch, as this error says; nullptr: it is not.
  const Error* no_watch() const noexcept { return polls_ && no_watch_ ? &*no_watch_ : nullptr; }

 private:
  enum class Phase {
    idle,       // not started
    queued,     // waits for a slot of the RequestLimiter
    listing,    // a page is requested
    watching,   // a watch is being opened, or open: see WatchConnection::Stage
    resolving,  // no name is known to the server: on_resolved() follows
    waiting,    // until retry_.next_try_at()
    over,       // cancelled, or failed for good
  };
  // What to do when a slot is free.
  enum class Aim { list, watch };

  // --- common
  void pursue(Aim aim, Instant now);
  void dispatch(Instant now);
  void set_state(State state);
  void prove_fresh(Instant as_of);
  void note_healthy();
  void drop_requests();
  void finish();
  void log(LogLevel level, const std::string& line);

  // --- RequestLimiter::Member
  void on_slot_granted(Instant now) override;
  void on_server_recovered(Instant now, Milliseconds spread) override;
  void rearm_within_another();

  // --- lists
  bool wants_watchlist(Instant now) const;
  void open_list(Instant now);
  void fail_list(const Error& error, RecoveryAction action, Instant now);
  bool accept_version(std::string_view version, bool at_version, Instant now);
  void note_listed(bool changed, Instant as_of, Instant now);

  // --- watches
  WatchConnection* open_watch_of(RequestId id) noexcept;
  WatchRequest next_watch_request(Instant now);
  WatchConnection& prepared(WatchConnection& watch) const;
  void start_watch(WatchConnection& watch, Instant now);
  void open_watch(bool initial_events, Instant now);
  void on_change(WatchConnection& watch, json::EventType type, const json::Item& item, Instant now);
  void on_initial_events_end(WatchConnection& watch, std::string_view version, Instant now);
  void note_current(WatchConnection& watch, Instant now);
  void check_settled(Instant now);
  bool went_back(const WatchConnection& watch, std::string_view version, const char* what, Instant now);
  void note_progress(WatchConnection& watch, std::string_view version, bool healthy);
  void note_message(WatchConnection& watch);
  bool is_doubtful(const WatchConnection& watch, Instant now);
  bool may_hold_events(const WatchConnection& watch, Instant now) const;
  bool is_long_silent(const WatchConnection& watch, Instant now) const;
  static void make_trial(WatchRequest& request);
  void judge_trial(const WatchConnection& watch, Instant now);
  void follow_trial(Instant now);
  bool wants_probe(const WatchConnection& watch, Instant now);
  void plan_probe(WatchConnection& watch, Instant now);
  bool is_probe(RequestId id) const noexcept { return probe_.running() && id == probe_.id(); }
  void check_probe(Instant now);
  void end_probe(ProbeFinding finding, Instant now);
  void stop_probe();
  bool comes_with_end(const WatchConnection& watch, Instant now) const;
  void tell_held_back(std::chrono::seconds interval);
  void note_cut(const WatchConnection& watch, Instant now);
  void note_fruitless(const WatchConnection& watch, bool was_due, Instant now);
  void announce_transport(bool websocket);
  void mark_inconsistent(const Error& error, Instant now);
  void end_watch(Instant now);
  bool end_poll(Instant now);
  void note_silence(const WatchConnection& watch, Instant now);
  void drop_watch(WatchPair::Request request, Instant now);
  void forget_watch(WatchPair::Request request);
  void fail_watch(WatchPair::Request request, const Error& error, RecoveryAction action, Instant now);
  void reopen(Instant now);
  void begin_polling(Instant now);
  void poll_instead(Instant now);
  std::chrono::seconds poll_time() const;
  void rotate(Instant now);
  void keep_apart();
  bool promote_successor(Instant now);
  void fail_successor(WatchPair::Request request, const Error& error, Instant now);

  // --- recovery
  void recover(const Error& error, RecoveryAction action, Instant now);
  void recover_in_json(const Error& error, Instant now);
  void recover_without_websocket(const Error& error, Instant now);
  void refresh_credentials(const Error& error, Instant now);
  void try_next_candidate(const Error& error, Instant now);
  void use_other_name_next();
  void resolve_again(const Error& error, Instant now);
  void try_another_way(const Error& error, Aim aim, Instant now);
  void relist(const Error& error, Instant now);
  void retry_at_once(const Error& error, Aim aim, Instant now);
  bool take_immediate_retry(const Error& error, Aim aim, Instant now);
  void retry(const Error& error, Aim aim, Instant now);
  void retry_slowly(const Error& error, Aim aim, Instant now);
  void find_no_watch(const Error& error, Instant now);
  void poll(const Error* error, Instant now);
  void wait(const Error* error, Milliseconds delay, Aim aim, Instant now);
  void give_up(const Error& error);

  // --- time
  std::optional<Instant> next_timer() const;
  void use_granted_slots(Instant now);
  void check_watch(Instant now);
  void check_list(Instant now);
  void check_head(WatchConnection& watch, Instant now);
  void check_stall(WatchConnection& watch, Instant now);
  void check_mute(WatchConnection& watch, Instant now);
  void check_initial_events(const WatchConnection& watch, Instant now);
  void check_successor(Instant now);
  bool may_check_version() const noexcept;
  void check_version(Instant now);
  void on_watch_timeout(const Error& error, Instant now);
  void revalidate_request(bool probe, Instant now);
  void revalidate_watch(WatchConnection& watch, bool probe, Instant now);

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
  std::optional<Instant> fresh_at_;
  // What the timer is set to.
  std::optional<Instant> timer_at_;
  WatchTransport transport_ = WatchTransport::automatic;
  // The last watch was given up because its head did not come: that the next one waits for its head proves nothing.
  bool head_timed_out_ = false;
  // A watch over HTTP has ended that was to show whether events come by themselves.
  bool tried_ = false;
  // The watch that is being opened comes at once after one.
  bool follows_trial_ = false;
  // The next watch over HTTP is to.
  bool trial_next_ = false;
  bool failed_in_list_ = false;
  // In Phase::resolving: what is reported if that does not help.
  Error unresolved_;
  // The resource was found to have no watch; the watch is tried again an hour later.
  std::optional<Instant> polls_since_;
  // What said so; it was reported.
  std::optional<Error> no_watch_;
  bool polls_ = false;
  // While watches are held back: when there is to be a list, unless a change comes before.
  std::optional<Instant> list_again_at_;
  // When a slot was last granted.
  std::optional<Instant> granted_at_;
  VersionCheck version_check_;
  WatchProbe probe_;

  ListRun list_;
  RetryPlan retry_;
  // Destroyed first: its slots may be granted to other members.
  WatchPair watches_;
};

}  // namespace ksr::sync

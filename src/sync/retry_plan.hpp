// `RetryPlan` decides when and how a reflector makes its next try: which name of the resource, which transport, after
// which delay; used by Reflector. Pure logic; lives on the reflector's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "base/random.hpp"
#include "json/api_status.hpp"
#include "sync/backoff.hpp"
#include "sync/failure.hpp"
#include "sync/server_state.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync {

// The names of a resource, in the order in which they are tried on 404.
class Candidates {
 public:
  Candidates(std::size_t count, std::size_t first);

  std::size_t count() const noexcept { return count_; }
  std::size_t current() const noexcept { return current_; }
  // It can be watched; that it can be listed is not enough, or two names without a watch would be listed by turns.
  void note_found() noexcept { others_.renew(); }
  // False: each was tried once, lately; the next round begins.
  bool advance(Instant now) noexcept;

 private:
  std::size_t count_;
  std::size_t current_;
  ImmediateRetry others_;
};

class RetryPlan {
 public:
  RetryPlan(const Options& options, ServerState& server_state, Random& random);

  // --- what to request ----------------------------------------------------------------------------------------------
  std::size_t candidate() const noexcept { return candidates_.current(); }
  // False: all names were tried once.
  bool next_candidate(Instant now) noexcept { return candidates_.advance(now); }
  // The resource has other names now.
  void set_candidates(std::size_t count) noexcept { candidates_ = Candidates(count, 0); }
  bool websocket(Instant now) const noexcept;
  // A watch of this stream that was open since `opened` passed on nothing, or it passed on a message.
  void note_fruitless(bool websocket, Instant opened, Instant now);
  void note_message(bool websocket) noexcept;
  // What chooses the transport; nullptr where the config does.
  TransportChoice* transport() noexcept;
  bool watchlist_refused() const;
  void note_watchlist_refused();
  bool protobuf() const;
  // What came in protobuf was not known. False: it has to come in protobuf.
  bool fall_back_to_json();
  // The watch was not opened.
  void note_watch_refused(const RequestContext& context, const Error& error,
                          const std::optional<json::ApiStatus>& status, Instant now);
  // A 401 is answered with new credentials at once, but not again and again: a server may accept each request, and then
  // refuse it. False: that was done already, and no request has been accepted since, or it was done just now.
  bool take_credentials_retry(Instant now) noexcept { return credentials_retry_.take(now); }

  // --- when to request it -------------------------------------------------------------------------------------------
  bool take_immediate_retry(Instant now) noexcept { return immediate_retry_.take(now); }
  // The resourceVersion expired. True: there was progress since it did before.
  bool note_expired() noexcept { return std::exchange(progress_before_expiry_, false); }
  // What failed is tried in another way: at once, but only so often between two waits, or a server that answers each
  // way with the failure of another one would be contacted without end. False: after the backoff.
  bool take_other_way(Instant now) noexcept { return other_ways_.take(now); }
  Milliseconds next_backoff() { return backoff_.next(random_); }
  // For what someone has to change at the server first.
  Milliseconds slow_delay();
  // Waits for `delay`, or for as long as the server asked for with `error`; returns the longer one.
  Milliseconds begin_wait(const Error* error, Milliseconds delay, Instant now);
  void end_wait() noexcept { wait_ = Wait::none; }
  // True: the wait is over, and the server's budget for retries allows one now. Else the budget may prolong the wait.
  bool is_due(Instant now);
  // Empty: no wait.
  std::optional<Instant> next_try_at() const noexcept;

  // --- what was observed --------------------------------------------------------------------------------------------
  void note_listed(Instant now);
  void note_watch_open(bool websocket, Instant now);
  // Progress, or two minutes of an open watch. Nothing less resets the backoff, or a server that opens every watch only
  // to break it would be contacted every second.
  void note_healthy() noexcept;
  // Whether an answer of the server to another stream may bring the next try forward.
  bool waits_for_server() const noexcept;
  void bring_forward(Instant at) noexcept;
  // The machine slept: whether the server is reachable is unknown, and the backoff starts over.
  void note_clock_jump() noexcept;

 private:
  enum class Wait {
    none,
    delay,   // until next_try_at_
    budget,  // the delay is over, but the server's budget for retries allows the try only at next_try_at_
  };

  std::string state_key() const;
  void note_answer(Instant now);
  void note_failure(const Error& error, Instant now);

  const std::string resource_;
  const WatchTransport wanted_;
  const Encoding encoding_;
  ServerState& server_state_;
  Random& random_;

  Candidates candidates_;
  Backoff backoff_;
  ImmediateRetry immediate_retry_;
  ImmediateRetry credentials_retry_;
  bool progress_before_expiry_ = false;
  ImmediateRetry other_ways_;
  Wait wait_ = Wait::none;
  Instant next_try_at_{};
  // The transport of this stream's last watch, where that passed on nothing.
  std::optional<bool> fruitless_over_websocket_;
  // The last failure was that no answer came.
  bool unreachable_ = false;
  // Once; again only after progress.
  bool brought_forward_ = false;
};

}  // namespace ksr::sync

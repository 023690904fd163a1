// `WatchPath` is what is known of the way to a server besides which transport gets through: whether watches over HTTP
// are held back until they end, and how long a connection lasts; used by Reflector, owned by ServerState. Pure logic;
// lives on the network thread.
#pragma once

#include <optional>

#include "base/instant.hpp"

namespace ksr::sync {

// What a WatchProbe has shown.
enum class ProbeFinding {
  none,   // nothing: its object is gone, or the request failed
  comes,  // what is sent comes by itself
  held,   // it comes with the end
  mute,   // nothing has come but the head, not even the end
};

class WatchPath {
 public:
  // What was learned is looked at again after that.
  static constexpr Milliseconds kRevisit{3'600'000};
  // That events come: watches that are silent may hold them back after that.
  static constexpr Milliseconds kTrusted{600'000};
  // One that has not ended after that was given up.
  static constexpr Milliseconds kProbeLimit{10'000};
  static constexpr int kMaxProbesWithoutFinding = 3;

  // --- gateways that buffer, such as nginx with proxy_buffering on and HTTP/1.0 to the server: they pass on full
  // blocks, and the rest when the response ends. The library cannot switch that off (X-Accel-Buffering is the
  // server's), but it can ask for watches that end soon.
  bool held_back(Instant now) const noexcept { return is_recent(held_back_since_, now); }
  // The head comes by itself, and the events with the end: a poll that was silent shows nothing.
  bool holds_events(Instant now) const noexcept { return held_back(now) && holds_events_; }
  // False: the head of a watch comes when the server sends it, however late that is.
  bool late_head_means_held_back(Instant now) const noexcept { return !is_recent(prompt_since_, now); }
  void note_held_back(Instant now) noexcept;
  void note_events_held_back(Instant now) noexcept;
  // A watch has shown it. True once for each time that it is found: the log is to be told.
  bool take_notice() noexcept;
  // The head of a watch came by itself.
  void note_prompt(Instant now) noexcept;
  // An event came by itself, before the end.
  bool events_come(Instant now) const noexcept { return events_came_at_ && now - *events_came_at_ < kTrusted; }
  void note_event_came(Instant now) noexcept { events_came_at_ = now; }
  // No one is finding out what comes: the caller does, with a WatchProbe, and says what it shows. Few of them show
  // nothing before the next ten minutes.
  bool claim_probe(Instant now) noexcept;
  bool probing(Instant now) const noexcept { return probed_since_ && now - *probed_since_ < kProbeLimit; }
  // True: over HTTP events are held back, and not only one segment of the network's, which would show the same.
  bool note_probe(ProbeFinding finding, Instant now) noexcept;
  // The head of a watch has not come at all: that it comes by itself no longer holds, since the way may be another one.
  void note_head_overdue() noexcept { prompt_since_.reset(); }
  // A watch that should have ended was not answered: that is something else.
  void note_unanswered() noexcept { held_back_since_.reset(); }

  // --- gateways that end a connection after some time, or when it was silent for some time; some only those that were
  // upgraded
  // How long a watch may last, to end before that; empty: no limit is known.
  std::optional<Milliseconds> lifetime(bool websocket, Instant now) const noexcept;
  // A watch that was open since `opened`, and silent for `silent`, was ended before its time. True: that shows a limit
  // which was not known.
  bool note_cut(bool websocket, Instant opened, Milliseconds silent, Instant now) noexcept;

 private:
  struct Cut {
    Instant at;
    Milliseconds lived;
    Milliseconds silent;
  };

  static bool is_recent(const std::optional<Instant>& since, Instant now) noexcept {
    return since && now - *since < kRevisit;
  }

  std::optional<Instant> held_back_since_;
  std::optional<Instant> prompt_since_;
  bool holds_events_ = false;
  std::optional<Instant> events_came_at_;
  std::optional<Instant> probed_since_;
  int probes_held_ = 0;
  int probes_without_finding_ = 0;
  Instant last_without_finding_{};
  bool announced_ = false;
  struct Life {
    std::optional<Cut> last_cut;
    Milliseconds limit{};
    std::optional<Instant> since;
  };
  Life over_websocket_;
  Life over_http_;
};

}  // namespace ksr::sync

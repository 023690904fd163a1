#include "sync/watch_path.hpp"

#include <algorithm>
#include <utility>

namespace ksr::sync {
namespace {

// Shorter than this a watch is not made.
constexpr Milliseconds kShortestLife{1'000};
// Two ends so close to the beginning have other reasons.
constexpr Milliseconds kShortestLimit{2'000};
// Watches last for five minutes at least: a longer limit is not noticed.
constexpr Milliseconds kLongestLife{300'000};
constexpr Milliseconds kMinTolerance{500};
// A segment that was lost may come with the end once.
constexpr int kHeldProbes = 2;

// Ended by the same rule.
bool is_similar(Milliseconds a, Milliseconds b) noexcept {
  const Milliseconds tolerance = std::max(kMinTolerance, std::max(a, b) / 10);
  return std::min(a, b) >= kShortestLimit && std::max(a, b) - std::min(a, b) <= tolerance;
}

}  // namespace

void WatchPath::note_held_back(Instant now) noexcept {
  if (!held_back(now)) announced_ = false;
  held_back_since_ = now;
  holds_events_ = false;
}

void WatchPath::note_events_held_back(Instant now) noexcept {
  note_held_back(now);
  holds_events_ = true;
  events_came_at_.reset();
}

bool WatchPath::claim_probe(Instant now) noexcept {
  if (probing(now)) return false;
  if (probes_without_finding_ >= kMaxProbesWithoutFinding) {
    if (now - last_without_finding_ < kTrusted) return false;
    probes_without_finding_ = 0;
  }
  probed_since_ = now;
  return true;
}

bool WatchPath::note_probe(ProbeFinding finding, Instant now) noexcept {
  probed_since_.reset();
  if (finding == ProbeFinding::none || finding == ProbeFinding::mute) {
    ++probes_without_finding_;
    last_without_finding_ = now;
    return false;
  }
  probes_without_finding_ = 0;
  if (finding == ProbeFinding::comes) {
    probes_held_ = 0;
    return false;
  }
  if (++probes_held_ < kHeldProbes) return false;
  probes_held_ = 0;
  note_events_held_back(now);
  return true;
}

bool WatchPath::take_notice() noexcept {
  return !std::exchange(announced_, true);
}

void WatchPath::note_prompt(Instant now) noexcept {
  held_back_since_.reset();
  prompt_since_ = now;
}

std::optional<Milliseconds> WatchPath::lifetime(bool websocket, Instant now) const noexcept {
  const Life& life = websocket ? over_websocket_ : over_http_;
  return is_recent(life.since, now) ? std::optional(life.limit) : std::nullopt;
}

// Twice the same: one end says nothing, and watches that one event has ended count as one.
bool WatchPath::note_cut(bool websocket, Instant opened, Milliseconds silent, Instant now) noexcept {
  Life& of_transport = websocket ? over_websocket_ : over_http_;
  if (of_transport.last_cut && opened < of_transport.last_cut->at) return false;
  const auto lived = std::chrono::duration_cast<Milliseconds>(now - opened);
  const Cut before = of_transport.last_cut.value_or(Cut{now, {}, {}});
  of_transport.last_cut = Cut{now, lived, silent};
  Milliseconds limit{};
  if (is_similar(before.lived, lived)) {
    limit = std::min(before.lived, lived);
  } else if (is_similar(before.silent, silent)) {
    limit = std::min(before.silent, silent);
  }
  if (limit < kShortestLimit || limit > kLongestLife) return false;
  // In whole seconds, as timeoutSeconds.
  const Milliseconds life =
      std::max<Milliseconds>(kShortestLife, std::chrono::floor<std::chrono::seconds>(limit * 3 / 4));
  if (const auto known = lifetime(websocket, now); known && *known <= life) return false;
  of_transport.limit = life;
  of_transport.since = now;
  return true;
}

}  // namespace ksr::sync

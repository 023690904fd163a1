#include "sync/watch_probe.hpp"

#include "sync/watch_pair.hpp"

namespace ksr::sync {
namespace {

constexpr std::chrono::seconds kTime{1};
// How long it may take beyond that.
constexpr Milliseconds kOverdueProbe{5'000};

}  // namespace

void WatchProbe::note_object(std::string_view name) {
  if (name_.empty()) name_ = name;
}

// "Get State and Start at Any": what the server has of it comes as ADDED, whether it keeps a watch cache or not
// (apiserver pkg/storage/cacher/cacher.go, Watch; pkg/storage/etcd3/watcher.go, sync).
WatchRequest WatchProbe::request(const WatchRequest& watch) const {
  WatchRequest probe;
  probe.candidate = watch.candidate;
  probe.protobuf = watch.protobuf;
  probe.websocket = watch.websocket;
  probe.name = name_;
  probe.resource_version = "0";
  probe.timeout = kTime;
  probe.head_limit = kTime + kOverdueProbe;
  return probe;
}

void WatchProbe::begin(RequestId id, bool websocket, Instant now) noexcept {
  id_ = id;
  websocket_ = websocket;
  started_ = now;
  head_at_.reset();
  message_at_.reset();
}

void WatchProbe::note_message(Instant now) noexcept {
  if (!message_at_) message_at_ = now;
}

ProbeFinding WatchProbe::end(Instant now) noexcept {
  stop();
  if (!message_at_) return ProbeFinding::none;
  if (websocket_ || now - *message_at_ > kTogether) return ProbeFinding::comes;
  return *message_at_ - head_at_.value_or(now) >= Milliseconds(kTime) / 2 ? ProbeFinding::held : ProbeFinding::none;
}

ProbeFinding WatchProbe::expire() noexcept {
  stop();
  if (message_at_) return ProbeFinding::comes;
  return head_at_ ? ProbeFinding::mute : ProbeFinding::none;
}

std::optional<Instant> WatchProbe::deadline() const noexcept {
  return running() ? std::optional(started_ + kTime + kOverdueProbe) : std::nullopt;
}

}  // namespace ksr::sync

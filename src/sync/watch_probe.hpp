// `WatchProbe` is a short watch of one object at resourceVersion 0, which a server begins with the object: whether that
// comes by itself, or with the end, shows whether something on the way holds back what a watch sends. Used by
// Reflector. Pure; lives on the reflector's thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/instant.hpp"
#include "sync/effects.hpp"
#include "sync/watch_path.hpp"

namespace ksr::sync {

class WatchProbe {
 public:
  // An object that the view has got; the first one is kept, since most stay.
  void note_object(std::string_view name);
  void forget_object() noexcept { name_.clear(); }
  bool has_object() const noexcept { return !name_.empty(); }

  bool running() const noexcept { return id_ != 0; }
  RequestId id() const noexcept { return id_; }
  // As `watch` is requested, but of the object.
  WatchRequest request(const WatchRequest& watch) const;
  void begin(RequestId id, bool websocket, Instant now) noexcept;
  void note_open(Instant now) noexcept { head_at_ = now; }
  bool over_websocket() const noexcept { return websocket_; }
  void note_message(Instant now) noexcept;
  ProbeFinding end(Instant now) noexcept;
  // At its deadline.
  ProbeFinding expire() noexcept;
  void stop() noexcept { id_ = 0; }
  // When it has lasted longer than it can; empty: none is running.
  std::optional<Instant> deadline() const noexcept;

 private:
  std::string name_;
  RequestId id_ = 0;
  bool websocket_ = false;
  Instant started_{};
  std::optional<Instant> head_at_;
  std::optional<Instant> message_at_;
};

}  // namespace ksr::sync

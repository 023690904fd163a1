// WebSocket or HTTP for the next watch. Lives with its reflector.
#pragma once

#include "sync/server_state.hpp"
#include "sync/sync_options.hpp"

namespace ksr::sync {

// `automatic` is WebSocket first, HTTP where that is not possible. Only an HTTP watch that opens proves that WebSocket
// was the trouble, so the refusal is filed with the server then.
class TransportChoice {
 public:
  explicit TransportChoice(WatchTransport wanted) : wanted_(wanted) {}

  bool websocket(const ServerState& memory) const noexcept;
  // A handshake was answered with a refusal of WebSocket.
  void note_refused() noexcept { refused_ = true; }
  // A handshake had no answer, or one from a gateway: after the second in a row HTTP is tried, for one watch.
  void note_unanswered() noexcept { ++unanswered_; }
  void note_open(bool websocket, ServerState& memory) noexcept;

 private:
  static constexpr int kMaxUnanswered = 2;

  WatchTransport wanted_;
  bool refused_ = false;
  int unanswered_ = 0;
};

}  // namespace ksr::sync

#include "sync/transport_choice.hpp"

namespace ksr::sync {

bool TransportChoice::websocket(const ServerState& memory) const noexcept {
  if (wanted_ != WatchTransport::automatic) return wanted_ == WatchTransport::websocket;
  return !memory.websocket_refused() && !refused_ && unanswered_ < kMaxUnanswered;
}

void TransportChoice::note_open(bool websocket, ServerState& memory) noexcept {
  if (wanted_ != WatchTransport::automatic) return;
  if (websocket) {
    unanswered_ = 0;
  } else if (refused_) {
    memory.note_websocket_refused();
  } else if (unanswered_ >= kMaxUnanswered) {
    // The outage may be over: WebSocket has one try again.
    unanswered_ = kMaxUnanswered - 1;
  }
}

}  // namespace ksr::sync

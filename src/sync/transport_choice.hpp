// `TransportChoice` decides whether the watches of a server with transport=auto go over WebSocket or HTTP, from what
// has got through so far; used by RetryPlan, owned by ServerState. Pure logic; lives on the network thread.
#pragma once

#include <optional>
#include <string>

#include "base/instant.hpp"

namespace ksr::sync {

// WebSocket first. A transport that does not get through is avoided for an hour, and the other one used; where both are
// avoided, the one that failed longer ago. Only a message of the watch, or the head of an HTTP response, proves that a
// transport gets through: a gateway can answer 101 and pass on nothing.
class TransportChoice {
 public:
  static constexpr Milliseconds kRevisit{3'600'000};
  // Watches in a row that were open and passed on nothing, or requests in a row that were not answered.
  static constexpr int kMaxFruitless = 2;

  // Whether the next watch is to go over WebSocket.
  bool websocket(Instant now) const noexcept;
  // Neither is known to get through: what has failed may only have been quiet.
  bool both_avoided(Instant now) const noexcept { return avoided(websocket_, now) && avoided(http_, now); }
  // A message of a watch has come over it before.
  bool proven(bool websocket) const noexcept { return websocket ? websocket_.proven : http_.proven; }

  // A WebSocket handshake was answered with `code` by something that is not the API, or that does not know WebSocket.
  void note_refused(int code, Instant now);
  // An HTTP watch was refused with `code`. The same answer as to the handshake: it is about the request.
  void note_refused_over_http(int code) noexcept;
  // The request was not answered. `silent`: it was sent, and nothing came.
  void note_unanswered(bool websocket, bool silent, Instant now);
  // The handshake was answered with an overload, or 410, that no Status says: a gateway's, for now or for good.
  void note_overloaded(Instant now);
  // A watch that was open since `opened` has ended, or is mute, without having passed on a message.
  void note_fruitless(bool websocket, Instant opened, Instant now);
  // The head of an HTTP watch is late, and none has ever come: WebSocket may get through.
  void note_head_missing(Instant now);
  void note_open(bool websocket) noexcept;
  void note_message(bool websocket) noexcept;

  // How long a handshake is waited for: where one was not answered in time the network may only be slow.
  Milliseconds handshake_limit() const noexcept;

  // What the log is to be told about the transport now in use, once for each time that the other one is avoided.
  std::optional<std::string> take_notice(bool websocket);

 private:
  struct Record {
    int fruitless = 0;
    Instant last_fruitless{};
    std::optional<Instant> avoided_since;
    // The other one has worked since.
    bool confirmed = false;
    bool announced = false;
    // Avoided only because no answer came, which may be because of the server.
    bool unanswered = false;
    // A watch was answered.
    bool answered = false;
    bool proven = false;
    std::string reason;
  };

  Record& of(bool websocket) noexcept { return websocket ? websocket_ : http_; }
  static bool avoided(const Record& record, Instant now) noexcept;
  static void avoid(Record& record, std::string reason, Instant now);
  // True: it has passed on nothing often enough.
  bool avoid_if_fruitless(bool websocket, const char* reason, Instant now);
  static void forget(Record& record) noexcept;

  Record websocket_;
  Record http_;
  // In a row; no more than what the limit doubles by.
  int handshakes_unanswered_ = 0;
  // What the handshake was refused with; 0: it was not refused.
  int refused_code_ = 0;
};

}  // namespace ksr::sync

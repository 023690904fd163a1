// `Fault` is what a script does to a matching request, and `FaultPlan` the faults that wait for one; used by World and
// Connection. Lives on the server's thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ksr::testserver {

enum class FaultAction {
  none,
  answer,           // this status, headers and body instead of the real response
  cut,              // end the connection after `bytes` of the response
  cut_event,        // end the connection in the middle of event number `event`
  half_event,       // half of event number `event`, then a clean end of the stream
  end,              // a clean end of the stream after `event` events
  stall,            // nothing after `bytes` of the response (0: no response), the connection stays open
  slow,             // at most `bytes` every `interval`
  inject,           // `text` unchanged, as a line (watch: after `event` events) or as a list's first item
  huge,             // the same with an object of `bytes` bytes
  content_type,     // `text` as Content-Type
  bad_chunk,        // a chunk size that is not a number
  endless_headers,  // header lines without end
  no_bookmarks,     // none on this watch, even if requested
  no_pong,          // WebSocket pings are not answered
  mute,             // no events at all, the watch stays open
  empty_pages,      // pages without items and with a continue token, without end
  close_code,       // WebSocket: end at once with close code `status`
  fragment,         // WebSocket: each event in several frames
  binary,           // WebSocket: events in binary frames
  bad_handshake,    // WebSocket: a wrong Sec-WebSocket-Accept
  no_upgrade,       // as behind a gateway without WebSocket: the handshake is served as a plain request
  hold_head,        // the same, and the head of a watch is sent with its first event
  withhold,         // the same, and all of a watch is sent with its end
  withhold_events,  // the same, but the head of a watch is sent at once
  hang_up,          // the connection ends right after the head of a watch
  cut_after,        // the connection ends after `interval`
  http10,           // an HTTP/1.0 response, which ends with the connection
};

// What is done to the next `times` matching requests. A value.
struct Fault {
  std::string verb = "any";  // any, list, watch, get, log, stream, write, discovery, other
  std::string where = "*";   // *, a plural, or the start of a path
  std::string transport;     // empty: either; http, websocket
  int times = 1;             // negative: until cleared
  int skip = 0;              // let that many matching requests pass first

  FaultAction action = FaultAction::none;
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  std::string text;
  std::uint64_t bytes = 0;
  std::size_t event = 1;
  std::chrono::milliseconds interval{10};
  bool reset = false;  // a cut is an RST instead of a FIN

  // "VERB WHERE ACTION [key=value...]", as in a script; throws std::runtime_error on anything else.
  static Fault parse(std::string_view line);
};

struct RequestKind {
  std::string verb;
  std::string plural;
  std::string path;
  bool websocket = false;
};

// The faults that wait for a matching request, oldest first.
class FaultPlan {
 public:
  void add(Fault fault) { faults_.push_back(std::move(fault)); }
  void clear() { faults_.clear(); }
  std::size_t size() const { return faults_.size(); }
  // The first fault that matches this request and is due; action none without one.
  Fault take(const RequestKind& request);

 private:
  std::list<Fault> faults_;
};

}  // namespace ksr::testserver

#include "sync/transport_choice.hpp"

#include <utility>

namespace ksr::sync {
namespace {

// Then HTTP is tried instead.
constexpr Milliseconds kHandshakeLimit{3'000};
constexpr int kMaxDoublings = 3;

}  // namespace

bool TransportChoice::avoided(const Record& record, Instant now) noexcept {
  return record.avoided_since && now - *record.avoided_since < kRevisit;
}

void TransportChoice::avoid(Record& record, std::string reason, Instant now) {
  const bool still = avoided(record, now);
  record.avoided_since = now;
  record.reason = std::move(reason);
  record.confirmed = still && record.confirmed;
  record.announced = still && record.announced;
  record.unanswered = false;
}

bool TransportChoice::avoid_if_fruitless(bool websocket, const char* reason, Instant now) {
  Record& record = of(websocket);
  if (record.fruitless < kMaxFruitless) return false;
  if (websocket) refused_code_ = 0;
  avoid(record, reason, now);
  return true;
}

void TransportChoice::forget(Record& record) noexcept {
  record.fruitless = 0;
  record.avoided_since.reset();
  record.unanswered = false;
}

bool TransportChoice::websocket(Instant now) const noexcept {
  if (!avoided(websocket_, now)) return true;
  if (!avoided(http_, now)) return false;
  return *websocket_.avoided_since < *http_.avoided_since;
}

void TransportChoice::note_refused(int code, Instant now) {
  refused_code_ = code;
  avoid(websocket_, "the WebSocket handshake was refused", now);
}

// 429 and 5xx come and go: the same code twice may have two authors.
void TransportChoice::note_refused_over_http(int code) noexcept {
  if (code == 0 || code != refused_code_ || websocket_.confirmed || code == 429 || code >= 500) return;
  forget(websocket_);
}

Milliseconds TransportChoice::handshake_limit() const noexcept {
  return kHandshakeLimit * (1 << handshakes_unanswered_);
}

void TransportChoice::note_unanswered(bool websocket, bool silent, Instant now) {
  if (websocket && silent && handshakes_unanswered_ < kMaxDoublings) ++handshakes_unanswered_;
  if (!websocket && websocket_.unanswered && !websocket_.confirmed) {
    // Neither is answered: the server, or the network, is down.
    return forget(websocket_);
  }
  Record& record = of(websocket);
  record.fruitless = silent ? kMaxFruitless : record.fruitless + 1;
  const char* const reason =
      websocket ? "the WebSocket handshake was not answered" : "the watch over HTTP was not answered";
  if (avoid_if_fruitless(websocket, reason, now)) record.unanswered = true;
}

void TransportChoice::note_overloaded(Instant now) {
  ++websocket_.fruitless;
  if (avoid_if_fruitless(true, "the WebSocket handshake was refused", now)) websocket_.unanswered = true;
}

// Watches that one event has ended count as one.
void TransportChoice::note_fruitless(bool websocket, Instant opened, Instant now) {
  Record& record = of(websocket);
  if (record.fruitless > 0 && opened < record.last_fruitless) return;
  record.last_fruitless = now;
  ++record.fruitless;
  avoid_if_fruitless(websocket, websocket ? "nothing came over WebSocket" : "nothing came over HTTP", now);
}

void TransportChoice::note_head_missing(Instant now) {
  if (http_.answered) return;
  avoid(http_, "the watch over HTTP was not answered", now);
  http_.unanswered = true;
}

void TransportChoice::note_open(bool websocket) noexcept {
  if (of(websocket).unanswered) forget(of(websocket));
  if (websocket) {
    handshakes_unanswered_ = 0;
    return;
  }
  http_.answered = true;
  if (websocket_.avoided_since) websocket_.confirmed = true;
}

void TransportChoice::note_message(bool websocket) noexcept {
  Record& record = of(websocket);
  record.proven = true;
  forget(record);
  Record& other = of(!websocket);
  if (other.avoided_since) other.confirmed = true;
}

std::optional<std::string> TransportChoice::take_notice(bool websocket) {
  Record& other = of(!websocket);
  if (!other.avoided_since || !other.confirmed || std::exchange(other.announced, true)) return std::nullopt;
  return std::string("watching over ") + (websocket ? "WebSocket" : "HTTP") + ", since " + other.reason +
         "; remembered for this server for an hour";
}

}  // namespace ksr::sync

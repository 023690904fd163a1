// A server that speaks protobuf in every way but the usual one: the view is that of JSON. The objects, and what is not
// known of them, are written here byte by byte.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "server/cases/on_server.hpp"
#include "unit/protobuf/messages.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace ksr::testing;
using namespace ksr::protobuf;

namespace {

// What the table of the library does not know, or what is not as it was asked for.
enum class Oddity {
  none,
  unknown_field,
  unknown_nested_field,
  unknown_type,
  cut,                // in the middle of an object, once
  answered_in_json,   // although protobuf was asked for
  not_acceptable,     // 406
  unsupported_media,  // 415, with a Status
};

constexpr Oddity kOddities[] = {
    Oddity::none, Oddity::unknown_field,    Oddity::unknown_nested_field, Oddity::unknown_type,
    Oddity::cut,  Oddity::answered_in_json, Oddity::not_acceptable,       Oddity::unsupported_media};

bool falls_back(Oddity oddity) {
  return oddity != Oddity::none && oddity != Oddity::cut && oddity != Oddity::answered_in_json;
}

struct Entry {
  std::string name;
  int version = 0;
  bool odd = false;
};

// ConfigMaps a to d, of which c and d come with the watch. Each request is served over a connection of its own.
class TwoForms {
 public:
  // Where the oddity is.
  TwoForms(Oddity in_list, Oddity in_watch) : in_list_(in_list), in_watch_(in_watch) {}

  std::string url() const { return server_.url(); }

  // Of each list and watch, in order: whether it asked for protobuf.
  std::vector<bool> asked_for_protobuf() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  struct Request {
    std::string head;
    std::string target;
    bool watch = false;
    bool websocket = false;
    bool protobuf = false;
    int version = 0;
  };

  static std::string json_of(const Entry& entry, Oddity oddity, bool in_list) {
    const bool odd = entry.odd;
    std::string text = in_list ? "{" : R"({"kind":"ConfigMap","apiVersion":"v1",)";
    text += R"("metadata":{"name":")" + entry.name + R"(","namespace":"ns","uid":"uid-)" + entry.name +
            R"(","resourceVersion":")" + std::to_string(entry.version) +
            R"(","creationTimestamp":"2026-01-02T03:04:05Z")";
    if (odd && oddity == Oddity::unknown_nested_field) text += R"(,"newField":"y")";
    text += R"(},"data":{"k":"v"})";
    if (odd && oddity == Oddity::unknown_field) text += R"(,"newField":"x")";
    return text + "}";
  }
  static const char* kind_of(bool odd, Oddity oddity) {
    return odd && oddity == Oddity::unknown_type ? "GadgetMap" : "ConfigMap";
  }
  static std::string protobuf_of(const Entry& entry, Oddity oddity) {
    const bool odd = entry.odd;
    std::string bytes = object_meta(entry.name, std::to_string(entry.version),
                                    odd && oddity == Oddity::unknown_nested_field ? bytes_field(99, "y") : "");
    bytes += map_entry(2, "k", "v");
    if (odd && oddity == Oddity::unknown_field) bytes += bytes_field(99, "x");
    return bytes;
  }

  static std::string response(const std::string& status, const std::string& type, const std::string& body,
                              std::size_t missing = 0) {
    return "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
           "\r\nContent-Length: " + std::to_string(body.size() + missing) + "\r\nConnection: close\r\n\r\n" + body;
  }
  static std::string refusal(Oddity oddity) {
    if (oddity == Oddity::not_acceptable) return response("406 Not Acceptable", "text/plain", "only JSON here\n");
    return response("415 Unsupported Media Type", "application/json",
                    R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"no protobuf",)"
                    R"("reason":"UnsupportedMediaType","code":415})");
  }
  static bool refuses(Oddity oddity) { return oddity == Oddity::not_acceptable || oddity == Oddity::unsupported_media; }

  // True the first time.
  bool once() {
    const std::lock_guard lock(mutex_);
    return !std::exchange(was_cut_, true);
  }

  void serve(test::Peer& peer) {
    Request request;
    request.head = peer.receive_head();
    const std::size_t target = request.head.find(' ') + 1;
    request.target = request.head.substr(target, request.head.find(' ', target) - target);
    if (request.target.find("/configmaps") == std::string::npos) return serve_other(peer, request.target);
    request.watch = request.target.find("watch=") != std::string::npos;
    request.websocket = !test::header_value(request.head, "Upgrade").empty();
    request.protobuf = test::header_value(request.head, "Accept").find("protobuf") != std::string::npos;
    const std::size_t version = request.target.find("resourceVersion=");
    if (version != std::string::npos) request.version = std::atoi(request.target.c_str() + version + 16);
    {
      const std::lock_guard lock(mutex_);
      asked_.push_back(request.protobuf);
    }
    request.watch ? serve_watch(peer, request) : serve_list(peer, request);
  }

  static void serve_other(test::Peer& peer, const std::string& target) {
    const auto ends = [&](const std::string& end) {
      return target.size() >= end.size() && target.compare(target.size() - end.size(), end.size(), end) == 0;
    };
    if (ends("/api/v1")) {
      peer.send(
          response("200 OK", "application/json",
                   R"({"kind":"APIResourceList","groupVersion":"v1","resources":[{"name":"configmaps",)"
                   R"("singularName":"configmap","namespaced":true,"kind":"ConfigMap","verbs":["list","watch"]}]})"));
    } else if (ends("/version")) {
      peer.send(response("200 OK", "application/json", R"({"major":"1","minor":"34","gitVersion":"v1.34.0"})"));
    } else {
      peer.send(response("404 Not Found", "text/plain", "404 page not found\n"));
    }
    peer.shut_down();
  }

  void serve_list(test::Peer& peer, const Request& request) {
    const Oddity oddity = in_list_;
    const std::vector<Entry> entries{{"a", 5}, {"b", 7, true}};
    if (request.protobuf && refuses(oddity)) {
      peer.send(refusal(oddity));
    } else if (request.protobuf && oddity != Oddity::answered_in_json) {
      std::string fields = list_meta("10");
      for (const Entry& entry : entries) fields += bytes_field(2, protobuf_of(entry, oddity));
      const std::string body = list_body(fields, oddity == Oddity::unknown_type ? "GadgetMapList" : "ConfigMapList");
      const bool cut = oddity == Oddity::cut && once();
      peer.send(response("200 OK", "application/vnd.kubernetes.protobuf", body.substr(0, body.size() - (cut ? 20 : 0)),
                         cut ? 20 : 0));
    } else {
      std::string items;
      for (const Entry& entry : entries) items += (items.empty() ? "" : ",") + json_of(entry, oddity, true);
      peer.send(response(
          "200 OK", "application/json",
          R"({"kind":"ConfigMapList","apiVersion":"v1","metadata":{"resourceVersion":"10"},"items":[)" + items + "]}"));
    }
    peer.shut_down();
  }

  void serve_watch(test::Peer& peer, const Request& request) {
    const Oddity oddity = in_watch_;
    if (request.protobuf && refuses(oddity)) {
      peer.send(refusal(oddity));
      return peer.shut_down();
    }
    const bool in_protobuf = request.protobuf && oddity != Oddity::answered_in_json;
    if (request.websocket) {
      peer.send(
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
          test::accept_key(request.head) + "\r\n\r\n");
    } else {
      peer.send(std::string("HTTP/1.1 200 OK\r\nContent-Type: ") +
                (in_protobuf ? "application/vnd.kubernetes.protobuf;stream=watch" : "application/json") +
                "\r\nTransfer-Encoding: chunked\r\n\r\n");
    }
    for (const Entry& entry : std::vector<Entry>{{"c", 12}, {"d", 14, true}}) {
      if (entry.version <= request.version) continue;
      const std::string event =
          in_protobuf ? watch_event("ADDED", enveloped("v1", kind_of(entry.odd, oddity), protobuf_of(entry, oddity)))
                      : R"({"type":"ADDED","object":)" + json_of(entry, oddity, false) + "}";
      if (in_protobuf && entry.odd && oddity == Oddity::cut && once()) {
        send_event(peer, request.websocket, in_protobuf, event, event.size() / 2);
        return peer.shut_down();
      }
      send_event(peer, request.websocket, in_protobuf, event, event.size());
    }
    // A ping is answered late enough for it never to come due in a test.
    peer.wait_for_close();
  }

  // The first `size` bytes of it.
  static void send_event(test::Peer& peer, bool websocket, bool in_protobuf, const std::string& event,
                         std::size_t size) {
    const bool whole = size == event.size();
    if (websocket) {
      peer.send(test::frame(in_protobuf ? test::binary_frame : test::text_frame, event.substr(0, size), whole));
      return;
    }
    std::string bytes = in_protobuf ? framed(event) : event + "\n";
    bytes.resize(bytes.size() - (event.size() - size));
    char length[20];
    std::snprintf(length, sizeof length, "%zx\r\n", bytes.size());
    peer.send(length + bytes + "\r\n");
  }

  const Oddity in_list_;
  const Oddity in_watch_;
  std::mutex mutex_;
  std::vector<bool> asked_;
  bool was_cut_ = false;
  test::RawServer server_{[this](test::Peer& peer) { serve(peer); }};
};

// The objects as the host reads them, by their names.
std::map<std::string, std::string> texts(Recorder& seen) {
  std::map<std::string, std::string> found;
  const ksr_snapshot* const snapshot = ksr_latest(seen.stream());
  for (std::size_t i = 0; i < ksr_snapshot_count(snapshot); ++i) {
    const ksr_object* const object = ksr_snapshot_at(snapshot, i);
    found[field(object, KSR_FIELD_NAME)] = field(object, KSR_FIELD_JSON);
  }
  ksr_snapshot_release(snapshot);
  return found;
}

Settings on(const TwoForms& server, const std::string& transport, const std::string& encoding, bool headlamp) {
  Settings settings{{"resource", "v1/configmaps"},
                    {"transport", transport},
                    {"encoding", encoding},
                    {"backoff_initial", "20ms"},
                    {"backoff_max", "200ms"}};
  if (headlamp) {
    settings.emplace_back("headlamp_url", server.url());
    settings.emplace_back("headlamp_cluster", "main");
  } else {
    settings.emplace_back("server", server.url());
  }
  return settings;
}

void check_same_view(const std::string& transport, Oddity in_list, Oddity in_watch, bool headlamp) {
  CAPTURE(transport);
  CAPTURE(static_cast<int>(in_list));
  CAPTURE(static_cast<int>(in_watch));
  CAPTURE(headlamp);
  TwoForms json_server(in_list, in_watch);
  TwoForms server(in_list, in_watch);
  Recorder in_json;
  Recorder seen;
  REQUIRE(in_json.open(on(json_server, transport, "json", headlamp)) == KSR_OK);
  REQUIRE(seen.open(on(server, transport, "auto", headlamp)) == KSR_OK);
  REQUIRE(in_json.wait_count(4));
  CHECK(seen.wait_count(4));
  for (const SeenError& error : seen.errors()) {
    CAPTURE(error.message);
    CHECK((in_list == Oddity::cut || in_watch == Oddity::cut));
  }
  CHECK(texts(seen) == texts(in_json));
  CHECK(seen.violations() == std::vector<std::string>{});

  // Remembered for the server.
  const std::vector<bool> asked = server.asked_for_protobuf();
  REQUIRE(!asked.empty());
  CHECK(asked.front());
  const auto first_json = std::find(asked.begin(), asked.end(), false);
  CHECK(std::find(first_json, asked.end(), true) == asked.end());
  const bool fallen_back = falls_back(in_list) || falls_back(in_watch);
  CHECK((first_json != asked.end()) == fallen_back);
  const bool json_at_last = fallen_back || in_watch == Oddity::answered_in_json;
  CHECK(seen.stat("encoding") == (json_at_last ? 0 : 1));
  if (!fallen_back) return;
  Recorder later;
  REQUIRE(later.open(with(on(server, transport, "auto", headlamp), "share", "false")) == KSR_OK);
  CHECK(later.wait_count(4));
  const std::vector<bool> asked_later = server.asked_for_protobuf();
  CHECK(std::find(asked_later.begin() + static_cast<std::ptrdiff_t>(asked.size()), asked_later.end(), true) ==
        asked_later.end());
}

}  // namespace

TEST_CASE("what is odd about a list in protobuf: the view is that of JSON") {
  on_both_transports([](const std::string& transport) {
    for (const Oddity oddity : kOddities) check_same_view(transport, oddity, Oddity::none, false);
  });
}

TEST_CASE("what is odd about a watch in protobuf: the view is that of JSON") {
  on_both_transports([](const std::string& transport) {
    for (const Oddity oddity : kOddities) check_same_view(transport, Oddity::none, oddity, false);
  });
}

TEST_CASE("what is odd about protobuf behind Headlamp: the view is that of JSON") {
  on_both_transports([](const std::string& transport) {
    for (const Oddity oddity : kOddities) {
      check_same_view(transport, oddity, Oddity::none, true);
      check_same_view(transport, Oddity::none, oddity, true);
    }
  });
}

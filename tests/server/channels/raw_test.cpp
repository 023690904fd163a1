// Port-forward, raw WebSockets and HTTP bodies.
#include <algorithm>
#include <string>
#include <vector>

#include "server/channels/on_channels.hpp"

using namespace ksr::testing;
using ksr::testserver::RecordedStream;

namespace {

constexpr const char* kProxy = "/api/v1/namespaces/default/pods/web/proxy";

Settings forward_of(const Settings& more = {}) {
  return with(of_pod("portforward", {{"port", "28080"}}), more);
}
Settings websocket_of(const Settings& more = {}) {
  return with({{"kind", "websocket"}, {"path", kProxy}}, more);
}

ChannelEnd end_of(const Requester& client, const Settings& settings, std::string* data = nullptr) {
  ChannelUser user;
  REQUIRE(user.open(client.client(), settings) == KSR_OK);
  const ChannelEnd end = user.wait();
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  if (data != nullptr) *data = user.bytes(KSR_PART_DATA);
  user.close();
  CHECK(user.violations() == std::vector<std::string>{});
  return end;
}

}  // namespace

TEST_CASE("port-forward: bytes both ways over one connection") {
  ChannelServer on;
  const Requester client(on.client_settings());
  ChannelUser user;
  REQUIRE(user.open(client.client(), forward_of()) == KSR_OK);
  const std::string text = alphabet(500'000);
  CHECK(user.write_all(KSR_PART_DATA, text) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_DATA, text));
  CHECK(user.count(KSR_EVENT_OPEN) == 1);
  CHECK(user.stat("protocol") == 4);
  CHECK(ksr_channel_finish(user.channel(), KSR_PART_DATA) == KSR_E_UNSUPPORTED);
  const RecordedStream stream = on.server.streams().at(0);
  CHECK(stream.protocol == "v4.channel.k8s.io");
  CHECK(has(stream.target, "ports=28080"));
  CHECK(stream.violations == std::vector<std::string>{});
}

TEST_CASE("port-forward: a refused port, an orderly end, a lost one, and a server that mixes up ports") {
  ChannelServer on;
  const Requester client(on.client_settings());
  std::string data;
  on.server.script("stream portforward web err=\"error forwarding port 28080: connection refused\" close=1000");
  const ChannelEnd refused = end_of(client, forward_of());
  CHECK(refused.status == KSR_E_TRANSPORT);
  CHECK(has(refused.message, "connection refused"));
  on.server.script("stream portforward web out=answer close=1000");
  CHECK(end_of(client, forward_of(), &data).status == KSR_OK);
  CHECK(data == "answer");
  for (const char* steps : {"out=answer cut", "out=answer reset"}) {
    on.server.script(std::string("stream portforward web ") + steps);
    CHECK(end_of(client, forward_of(), &data).status == KSR_E_LOST);
    CHECK(data == "answer");
  }
  on.server.script("stream portforward web out=answer err=broken cut");
  CHECK(end_of(client, forward_of(), &data).status < KSR_OK);
  CHECK(data == "answer");
  on.server.script("stream portforward web no-open hex=000100 hex=010100 out=answer");
  CHECK(end_of(client, forward_of()).status == KSR_E_PROTOCOL);
  // The port may come in two messages, and unknown channels mean nothing.
  on.server.script("stream portforward web no-open hex=00b0 hex=006d hex=01b06d hex=0741 empty out=answer close=1000");
  CHECK(end_of(client, forward_of(), &data).status == KSR_OK);
  CHECK(data == "answer");
  CHECK(on.server.streams().size() == 7);
}

TEST_CASE("port-forward cut at each byte: never an orderly end, never opened again") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream portforward web out=answer close=1000");
  std::size_t orderly = 0;
  for (int bytes = 150; bytes < 230 && orderly == 0; ++bytes) {
    CAPTURE(bytes);
    on.server.script("clear\nfault stream pods cut bytes=" + std::to_string(bytes));
    const std::size_t before = on.server.streams().size();
    std::string data;
    const ChannelEnd end = end_of(client, forward_of(), &data);
    CHECK(on.server.streams().size() == before + 1);
    if (end.status == KSR_OK) {
      CHECK(data == "answer");
      ++orderly;
    }
  }
  CHECK(orderly == 1);
}

TEST_CASE("a raw WebSocket: whole messages of both kinds, the subprotocol, the close code") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web text=hello binary=bytes text= echo wait-bytes=10 close=4321:enough");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"subprotocol", "chat.example"}, {"subprotocol", "other"}})) ==
          KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_TEXT, "hello"));
  CHECK(user.wait_for_bytes(KSR_PART_BINARY, "bytes"));
  CHECK(user.info("protocol") == "chat.example");
  std::size_t taken = 0;
  CHECK(ksr_channel_write(user.channel(), KSR_PART_TEXT, "\xff", 1, 1'000, &taken) == KSR_E_INVALID);
  CHECK(ksr_channel_write(user.channel(), KSR_PART_STDIN, "x", 1, 1'000, &taken) == KSR_E_INVALID);
  CHECK(ksr_channel_write(user.channel(), KSR_PART_TEXT, "12345", 5, 1'000, &taken) == KSR_OK);
  CHECK(taken == 5);
  CHECK(ksr_channel_write(user.channel(), KSR_PART_BINARY, "67890", 5, 1'000, &taken) == KSR_OK);
  user.wait();
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  CHECK(user.bytes(KSR_PART_TEXT) == "hello12345");
  CHECK(user.info("close_code") == "4321");
  CHECK(user.info("close_reason") == "enough");
  CHECK(on.server.streams().at(0).messages == std::vector<std::string>{"12345", "67890"});
}

TEST_CASE("a message above max_message ends the channel; a fragmented one is one message") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web out-bytes=20000");
  for (const char* reconnect : {"false", "true"}) {
    const ChannelEnd end = end_of(client, websocket_of({{"max_message", "10000"}, {"reconnect", reconnect}}));
    CHECK(end.status == KSR_E_TOO_LARGE);
    CHECK(has(end.message, "larger than max_message, 10000 bytes"));
  }
  on.server.script("stream proxy web fragment=abcdef close=1000");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of()) == KSR_OK);
  user.wait();
  CHECK(user.pieces(KSR_PART_BINARY) == std::vector<std::string>{"abcdef"});
}

TEST_CASE("a server that does not read for a while gets every message, however large they are together") {
  ChannelServer on;
  const Requester client(on.client_settings());
  std::vector<std::string> messages;
  for (char c = 'a'; c < 'i'; ++c) messages.emplace_back(900'000, c);
  on.server.script("stream proxy web deaf sleep=300ms hear wait-bytes=7200000 close=1000");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"send_buffer", "16Mi"}})) == KSR_OK);
  for (const std::string& message : messages) CHECK(user.write_all(KSR_PART_BINARY, message) == KSR_OK);
  CHECK(user.wait().status == KSR_OK);
  CHECK((on.server.streams().at(0).messages == messages));
}

TEST_CASE("WRITABLE names the part that the write was to, whatever is sent") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web deaf sleep=2s hear");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"send_buffer", "4096"}})) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_OPEN));
  // More than the sockets take: what follows waits.
  CHECK(user.write_all(KSR_PART_TEXT, alphabet(std::size_t{15} << 20)) == KSR_OK);
  CHECK(user.write_all(KSR_PART_TEXT, alphabet(3'000)) == KSR_OK);
  const std::string binary = alphabet(3'000);
  std::size_t taken = 0;
  CHECK(ksr_channel_write(user.channel(), KSR_PART_BINARY, binary.data(), binary.size(), 0, &taken) == KSR_E_TIMEOUT);
  CHECK(user.wait_until([](const ChannelUser& now) {
    const std::vector<ChannelEvent> events = now.events();
    return std::any_of(events.begin(), events.end(), [](const ChannelEvent& event) {
      return event.event == KSR_EVENT_WRITABLE && event.part == KSR_PART_BINARY;
    });
  }));
}

TEST_CASE("held_bytes has the bytes of messages alone, while receive_buffer bounds what they cost") {
  ChannelServer on;
  const Requester client(on.client_settings());
  std::string messages;
  for (int i = 0; i < 1000; ++i) messages += " text=ab";
  on.server.script("stream proxy web" + messages);
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"receive_buffer", "4Ki"}}), ChannelUser::Mode::pull) == KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("stalled_ms") > 0; }));
  // The two are asked for one after the other: a message may come between.
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("held_bytes") == now.stat("bytes_received"); }));
}

TEST_CASE("queued_bytes has the bytes of messages that are not sent, also of the one that is being sent") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web deaf");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"send_buffer", "64Mi"}})) == KSR_OK);
  constexpr std::size_t kSize = 900'000;
  for (int i = 0; i < 30; ++i) CHECK(user.write_all(KSR_PART_BINARY, std::string(kSize, 'x')) == KSR_OK);
  // The two are asked for one after the other: a message may be sent between.
  CHECK(user.wait_until([](const ChannelUser& now) {
    const std::uint64_t sent = now.stat("bytes_sent");
    return sent > 0 && sent + now.stat("queued_bytes") == 30 * kSize;
  }));
  CHECK(user.stat("queued_bytes") > 0);
}

TEST_CASE("reconnect: after an end, a cut and a refusal, until it is cancelled") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web text=hello cut");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"reconnect", "true"}, {"reconnect_delay", "10ms"}})) == KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return now.count(KSR_EVENT_OPEN) >= 3; }));
  on.server.script("fault stream pods answer 500\nfault stream pods answer 403\nstream proxy web text=last close=1000");
  CHECK(user.wait_until([](const ChannelUser& now) { return has(now.bytes(KSR_PART_TEXT), "lastlast"); }));
  CHECK(user.count(KSR_EVENT_CLOSED) == 0);
  CHECK(user.count(KSR_EVENT_CONNECTING) >= 6);
  ksr_channel_cancel(user.channel());
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
}

TEST_CASE("reconnect: the statistic state is connecting during the wait") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web text=hello wait-bytes=1 close=1000");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"reconnect", "true"}, {"reconnect_delay", "1h"}})) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_TEXT, "hello"));
  CHECK(user.stat("state") == KSR_EVENT_OPEN);
  CHECK(user.write_all(KSR_PART_TEXT, "x") == KSR_OK);
  REQUIRE(user.wait_for_event(KSR_EVENT_INTERRUPTED));
  CHECK(user.stat("state") == KSR_EVENT_CONNECTING);
}

TEST_CASE(
    "reconnect: but for the message that was being sent, all that waits goes over the next connection, in order") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream proxy web deaf sleep=1s reset");
  ChannelUser user;
  REQUIRE(user.open(client.client(), websocket_of({{"reconnect", "true"},
                                                   {"reconnect_delay", "10ms"},
                                                   {"ping_interval", "10ms"},
                                                   {"send_buffer", "64Mi"}})) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_OPEN));
  on.server.script("stream proxy web");
  // More than the sockets take, which is lost with the connection.
  constexpr std::size_t kSize = 900'000;
  std::vector<std::string> messages;
  for (char c = 'a'; c <= 'z'; ++c) messages.emplace_back(kSize, c);
  for (const std::string& message : messages) CHECK(user.write_all(KSR_PART_BINARY, message) == KSR_OK);
  CHECK(user.wait_until(
      [](const ChannelUser& now) { return now.count(KSR_EVENT_OPEN) == 2 && now.stat("queued_bytes") == 0; }));
  std::vector<std::string> received;
  CHECK(user.wait_until([&](const ChannelUser&) {
    received = on.server.streams().at(1).messages;
    return !received.empty() && received.back() == messages.back();
  }));
  REQUIRE(received.size() <= messages.size());
  CHECK(std::equal(received.rbegin(), received.rend(), messages.rbegin()));
  CHECK(user.stat("bytes_sent") >= (messages.size() - 1) * kSize);
}

TEST_CASE("an HTTP body as it comes") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("log web line=one line=two end");
  const Settings http{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web/log"}};
  ChannelUser user;
  REQUIRE(user.open(client.client(), http) == KSR_OK);
  CHECK(user.wait().status == KSR_OK);
  CHECK(user.bytes(KSR_PART_STDOUT) == "one\ntwo\n");
  CHECK(user.info("http_status") == "200");
  on.server.script("fault log pods cut bytes=80");
  CHECK(end_of(client, http).status < KSR_OK);
  CHECK(end_of(client, {{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/none"}}).status == KSR_E_NOT_FOUND);
}

TEST_CASE("a server that repeats a secret of the channel's own headers: it is in no error, no details and no event") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const std::string secret = "S3CRETvalue0123456789";
  const std::string answer =
      " answer 403 times=forever type=application/json body=" +
      quoted(
          R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden","message":"token )" +
          secret + R"( has expired"})");
  on.server.script("fault get pods" + answer + "\nfault stream pods" + answer + "\nfault log pods" + answer);
  for (const Settings& settings :
       {exec_of(), of_pod("attach", {{"container", "main"}}), forward_of(), of_pod("log"), websocket_of(),
        Settings{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}}}) {
    CAPTURE(settings[0].second);
    ChannelUser user;
    REQUIRE(user.open(client.client(), with(settings, {{"header.X-Auth-Token", secret}})) == KSR_OK);
    const ChannelEnd end = user.wait();
    CHECK(end.status == KSR_E_FORBIDDEN);
    CHECK(has(end.message, "token *** has expired"));
    CHECK(has(end.details, "token *** has expired"));
  }
  ChannelUser user;
  REQUIRE(
      user.open(client.client(),
                websocket_of({{"header.X-Auth-Token", secret}, {"reconnect", "true"}, {"reconnect_delay", "10ms"}})) ==
      KSR_OK);
  REQUIRE(user.wait_for_event(KSR_EVENT_INTERRUPTED));
  for (const ChannelEvent& event : user.events()) CHECK_FALSE(has(event.message, secret));
}

TEST_CASE("of a refusal the whole Status is in the details, as of a request's") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const std::string status =
      R"({"kind":"Status","apiVersion":"v1","status":"Failure","code":403,"reason":"Forbidden","message":"no","details":)"
      R"({"causes":[{"message":")" +
      std::string(300'000, 'x') + R"("}]}})";
  const std::string answer = " answer 403 times=forever type=application/json body=" + quoted(status);
  on.server.script("fault get pods" + answer + "\nfault stream pods" + answer + "\nfault log pods" + answer);
  for (const Settings& settings : {exec_of(), of_pod("log"), websocket_of(),
                                   Settings{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}}}) {
    CAPTURE(settings[0].second);
    const ChannelEnd end = end_of(client, settings);
    CHECK(end.status == KSR_E_FORBIDDEN);
    CHECK((end.details == status));
  }
}

TEST_CASE("a refusal in YAML, which header.Accept may ask for, is read as one in JSON") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const std::string answer =
      " answer 403 times=forever type=application/yaml body=" +
      quoted("{kind: Status, status: Failure, code: 403, reason: Forbidden, message: no leave, details: {name: web}}");
  on.server.script("fault get pods" + answer + "\nfault stream pods" + answer + "\nfault log pods" + answer);
  for (const Settings& settings : {exec_of(), forward_of(), of_pod("log"), websocket_of(),
                                   Settings{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}}}) {
    CAPTURE(settings[0].second);
    const ChannelEnd end = end_of(client, settings);
    CHECK(end.status == KSR_E_FORBIDDEN);
    CHECK(has(end.message, "no leave"));
    CHECK(has(end.details, "\"name\":\"web\""));
  }
}

TEST_CASE("an HTTP body that writes says whether it may have been carried out, over all of its tries") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const Settings post{{"kind", "http"}, {"method", "POST"}, {"path", "/api/v1/namespaces/default/pods"}};
  on.server.script("fault write pods answer 504\nfault write pods answer 409");
  for (const int maybe_done : {1, 0}) CHECK(end_of(client, post).maybe_done == maybe_done);
  on.server.script("fault write pods cut bytes=0\nfault write pods answer 409");
  const ChannelEnd end = end_of(client, with(post, {{"retries", "all"}}));
  CHECK(end.http_status == 409);
  CHECK(end.maybe_done == 1);
}

TEST_CASE("the warnings of an HTTP body, one a line, also where it is refused") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script(R"(fault get pods answer 200 body={} header="Warning: 299 - \"old, very old\", 299 - \"two\"")"
                   "\nfault get pods answer 500 header=\"Warning: 299 - \\\"broken\\\"\"");
  for (const char* warnings : {"old, very old\ntwo", "broken", ""}) {
    ChannelUser user;
    REQUIRE(user.open(client.client(), {{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}}) == KSR_OK);
    user.wait();
    CHECK(user.info("warnings") == warnings);
  }
}

TEST_CASE("head_timeout: how long the server may take until an HTTP answer begins") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("fault get pods stall bytes=0");
  const Settings http{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}, {"head_timeout", "50ms"}};
  const ChannelEnd silent = end_of(client, http);
  CHECK(silent.status == KSR_E_TIMEOUT);
  CHECK(silent.message.rfind("GET of /api/v1/namespaces/default/pods/web at ", 0) == 0);
  CHECK(end_of(client, {{"kind", "http"}, {"path", "/healthz"}, {"head_timeout", "0"}}).status == KSR_OK);
  ChannelUser user;
  CHECK(user.open(client.client(), exec_of({{"head_timeout", "1s"}})) == KSR_E_INVALID);
}

TEST_CASE("retries of an HTTP body: none by default, else until the answer begins") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const Settings http{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}};
  on.server.script("fault get pods answer 503");
  CHECK(end_of(client, http).status == KSR_E_SERVER);
  for (const char* retries : {"safe", "answered"}) {
    CAPTURE(retries);
    on.server.script("fault get pods answer 503 retry-after=1 times=2");
    ChannelUser user;
    REQUIRE(user.open(client.client(), with(http, {{"retries", retries}})) == KSR_OK);
    CHECK(user.wait().status == KSR_OK);
    CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
    CHECK(user.count(KSR_EVENT_INTERRUPTED) == 2);
    CHECK(user.count(KSR_EVENT_OPEN) == 1);
    CHECK(user.stat("reconnects") == 2);
  }
  // What has begun is not asked for again.
  on.server.script("populate pods 20 ns=default\nfault list pods cut bytes=1000");
  const Settings list{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods"}, {"retries", "safe"}};
  CHECK(end_of(client, list).status == KSR_E_TRANSPORT);
  // Neither is what no retry mends.
  on.server.script("fault get pods answer 404");
  CHECK(end_of(client, with(http, {{"retries", "safe"}})).status == KSR_E_NOT_FOUND);
  ChannelUser user;
  CHECK(user.open(client.client(), exec_of({{"retries", "safe"}})) == KSR_E_INVALID);
}

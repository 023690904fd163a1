// Watches over WebSockets.
#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

using Messages = std::vector<std::string>;

// How an exchange ends with a server that sends `bytes` after the handshake.
std::optional<Error> outcome_of(const std::string& bytes, Messages* messages = nullptr) {
  RawServer server([&](Peer& peer) {
    accept_websocket(peer);
    peer.send(bytes);
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.head().status == 101);
  CHECK(listener.ends() == 1);
  if (messages != nullptr) *messages = listener.messages();
  return listener.error();
}

const std::string closing = frame(close_frame, close_payload(1000));

}  // namespace

TEST_CASE("a WebSocket sends Origin, one subprotocol and the headers given, and delivers messages") {
  std::string seen;
  RawServer server([&](Peer& peer) {
    seen = accept_websocket(peer);
    peer.send(frame(text_frame, "one") + frame(binary_frame, "two") + frame(text_frame, "") + closing);
    CHECK(read_frame(peer).opcode == close_frame);
    peer.wait_for_close();
  });
  Listener listener;
  Request request = request_for("/api/v1/pods?watch=1&labelSelector=a%3Db");
  request.headers = {{"Authorization", "Bearer x"}, {"Impersonate-Group", "a"}, {"Impersonate-Group", "b"}};
  request.subprotocol = "base64.binary.k8s.io";
  listener.open_websocket(connect(server.url() + "/prefix"), request);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.head().status == 101);
  CHECK(listener.messages() == Messages{"one", "two", ""});
  CHECK(seen.find("GET /prefix/api/v1/pods?watch=1&labelSelector=a%3Db HTTP/1.1\r\n") == 0);
  CHECK(header_value(seen, "Host") == server.authority());
  CHECK(header_value(seen, "Origin") == server.url());
  CHECK(header_value(seen, "Sec-WebSocket-Protocol") == "base64.binary.k8s.io");
  CHECK(seen.find("\r\nImpersonate-Group: a\r\nImpersonate-Group: b\r\n") != std::string::npos);
  CHECK(seen.find("WebSocket++") == std::string::npos);
}

TEST_CASE("a WebSocket reaches a server on an IPv6 address") {
  std::string seen;
  RawServer server(
      [&](Peer& peer) {
        seen = accept_websocket(peer);
        peer.send(frame(text_frame, "six") + closing);
        peer.wait_for_close();
      },
      true);
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.messages() == Messages{"six"});
  CHECK(header_value(seen, "Host") == server.authority());
}

TEST_CASE("fragments make one message, with control frames between them") {
  Messages messages;
  CHECK_FALSE(outcome_of(frame(text_frame, "{\"a\":", false) + frame(ping_frame, "p") +
                             frame(continuation_frame, "\xe2", false) + frame(continuation_frame, "\x82\xac}") +
                             closing,
                         &messages));
  CHECK(messages == Messages{"{\"a\":\xe2\x82\xac}"});
}

TEST_CASE("frames are read however their bytes arrive") {
  const std::string bytes = frame(text_frame, std::string(300, 'a')) + frame(text_frame, "b") + closing;
  RawServer server([&](Peer& peer) {
    const std::string request = peer.receive_head();
    const std::string head =
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + accept_key(request) +
        "\r\n\r\n";
    for (const char byte : head + bytes) peer.send(std::string(1, byte));
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.messages() == Messages{std::string(300, 'a'), "b"});
}

TEST_CASE("a big message comes whole") {
  Messages messages;
  CHECK_FALSE(outcome_of(frame(text_frame, std::string(40'000'000, 'x')) + closing, &messages));
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].size() == 40'000'000);
}

TEST_CASE("a message is delivered as it comes, be it one frame or fragments without end") {
  const std::string announced = std::string("\x81\x7f", 2) + std::string("\0\0\0\0\x0f\0\0\0", 8);  // 240 MiB
  for (const std::string& bytes :
       {announced + std::string(100'000, 'x'), frame(text_frame, "", false) +
                                                   frame(continuation_frame, std::string(99'999, 'x'), false) +
                                                   frame(ping_frame, "") + frame(continuation_frame, "x", false)}) {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      peer.send(bytes);
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    CHECK(listener.wait_for_body(100'000));
    CHECK(listener.messages().empty());
    CHECK(listener.ends() == 0);
  }
}

TEST_CASE("a frame above the limit ends the WebSocket") {
  const std::string header("\x81\x7f", 2);
  for (const std::string& size : {std::string("\0\0\0\0\x20\0\0\0", 8), std::string("\x40\0\0\0\0\0\0\0", 8)}) {
    const auto error = outcome_of(header + size + "x");
    REQUIRE(error);
    CHECK(error->status == Status::too_large);
    CHECK(error->message.find("a frame of the server is longer than 268435456 bytes") != std::string::npos);
  }
}

TEST_CASE("a ping of the server is answered") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    peer.send(frame(ping_frame, "are you there"));
    const Frame answer = read_frame(peer);
    CHECK(answer.opcode == pong_frame);
    CHECK(answer.masked);
    CHECK(answer.payload == "are you there");
    peer.send(closing);
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
}

TEST_CASE("pings go out, and their answers keep the WebSocket open") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    for (int i = 0; i < 3; ++i) {
      const Frame ping = read_frame(peer);
      CHECK(ping.opcode == ping_frame);
      CHECK(ping.masked);
      peer.send(frame(pong_frame, ping.payload));
    }
    peer.send(closing);
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.ping_interval = Milliseconds(10);
  Listener listener;
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
}

TEST_CASE("a server that answers no ping is given up") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.ping_interval = Milliseconds(10);
  request.pong_timeout = Milliseconds(30);
  Listener listener;
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->http_status == 408);
  CHECK(listener.error()->message.find("pong") != std::string::npos);
}

TEST_CASE("a pong_timeout of 0: a pong is waited for without limit, and no other ping is sent meanwhile") {
  int pings = 0;
  {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      for (; pings < 2; ++pings) {
        const Frame ping = read_frame(peer);
        if (ping.opcode != ping_frame) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        peer.send(frame(pong_frame, ping.payload));
      }
      peer.send(frame(close_frame, close_payload(1000)));
      peer.wait_for_close();
    });
    Listener listener;
    Request request = request_for("/");
    request.ping_interval = Milliseconds(5);
    request.pong_timeout = Milliseconds(0);
    listener.open_websocket(connect(server.url()), std::move(request));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
  CHECK(pings == 2);
}

TEST_CASE("pongs that answer no ping do not keep a dead WebSocket open") {
  Request request = request_for("/");
  request.ping_interval = Milliseconds(10);
  request.pong_timeout = Milliseconds(30);
  const auto check_given_up = [&](const RawServer::Script& script) {
    RawServer server(script);
    Listener listener;
    listener.open_websocket(connect(server.url()), request);
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->http_status == 408);
    CHECK(listener.error()->message.find("pong") != std::string::npos);
  };
  SUBCASE("unsolicited") {
    check_given_up([](Peer& peer) {
      accept_websocket(peer);
      while (peer.send(frame(pong_frame, ""))) {
      }
    });
  }
  SUBCASE("with another payload") {
    check_given_up([](Peer& peer) {
      accept_websocket(peer);
      for (Frame ping = read_frame(peer); ping.opcode == ping_frame; ping = read_frame(peer)) {
        peer.send(frame(pong_frame, ping.payload + "x"));
      }
    });
  }
  SUBCASE("nor do messages that drip") {
    check_given_up([](Peer& peer) {
      accept_websocket(peer);
      const std::string message = frame(text_frame, "message");
      for (std::size_t i = 0; peer.send(message.substr(i % message.size(), 1)); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
      }
    });
  }
  SUBCASE("with the payload of a ping that was answered already") {
    check_given_up([](Peer& peer) {
      accept_websocket(peer);
      const std::string first = read_frame(peer).payload;
      while (peer.send(frame(pong_frame, first)) && read_frame(peer).opcode == ping_frame) {
      }
    });
  }
}

TEST_CASE("a server that does not answer gets no second ping") {
  std::size_t pings = 0;
  {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      while (read_frame(peer).opcode == ping_frame) ++pings;
    });
    Request request = request_for("/");
    request.ping_interval = Milliseconds(5);
    request.pong_timeout = Milliseconds(100);
    Listener listener;
    listener.open_websocket(connect(server.url()), request);
    REQUIRE(listener.wait_for_end());
  }
  CHECK(pings == 1);
}

TEST_CASE("a server that sends pings and does not read gets few pongs, and the last one") {
  constexpr int pings = 200'000;
  int pongs = 0;
  std::string last;
  {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      std::string block;
      for (int i = 0; i < 1000; ++i) block += frame(ping_frame, std::string(125, 'x'));
      for (int i = 0; i < pings / 1000; ++i) peer.send(block);
      peer.send(frame(ping_frame, "last"));
      for (Frame pong = read_frame(peer); pong.opcode == pong_frame; pong = read_frame(peer)) {
        ++pongs;
        last = pong.payload;
        if (last == "last") break;
      }
      peer.send(closing);
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
  CHECK(last == "last");
  // One for each part that was read at once, not one for each ping.
  CHECK(pongs < pings / 4);
}

TEST_CASE("silence between messages is 408 by the idle timeout, though pongs come") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    for (Frame ping = read_frame(peer); ping.opcode == ping_frame; ping = read_frame(peer)) {
      peer.send(frame(pong_frame, ping.payload));
    }
  });
  Request request = request_for("/");
  request.ping_interval = Milliseconds(10);
  request.idle_timeout = Milliseconds(80);
  Listener listener;
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->http_status == 408);
  CHECK(listener.error()->message.find("pong") == std::string::npos);
}

TEST_CASE("a handshake that is never answered is 408") {
  RawServer server([](Peer& peer) { peer.wait_for_close(); });
  Request request = request_for("/");
  request.response_timeout = Milliseconds(30);
  Listener listener;
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->http_status == 408);
}

TEST_CASE("a refused handshake is delivered with status, headers and body") {
  for (const std::string framing :
       {"Content-Length: 13\r\n\r\n{\"code\": 410}", "Connection: close\r\n\r\n{\"code\": 410}",
        "Transfer-Encoding: chunked\r\n\r\n7\r\n{\"code\"\r\n6\r\n: 410}\r\n0\r\n\r\n"}) {
    RawServer server([&](Peer& peer) {
      peer.receive_head();
      const std::string answer = "HTTP/1.1 410 Gone\r\nContent-Type: application/json\r\nRetry-After: 9\r\n" + framing;
      for (const char byte : answer) peer.send(std::string(1, byte));
      if (framing.find("close") == std::string::npos) peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
    CHECK(listener.heads() == 1);
    CHECK(listener.head().status == 410);
    CHECK(listener.head().retry_after == "9");
    CHECK(listener.head().content_type == "application/json");
    CHECK(listener.body() == "{\"code\": 410}");
    CHECK(listener.messages().empty());
  }
}

TEST_CASE("an answer that is neither acceptance nor HTTP is an error") {
  const std::string accepted = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  for (const std::string& answer : {std::string("not HTTP\r\n\r\n"), accepted + "Sec-WebSocket-Accept: wrong\r\n\r\n",
                                    std::string("HTTP/1.1 101 X\r\n\r\n"), std::string()}) {
    RawServer server([&](Peer& peer) {
      peer.receive_head();
      peer.send(answer);
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->http_status == 502);
    CHECK(listener.heads() == 0);
  }
}

TEST_CASE("a 101 that is no acceptance says which header is missing or has another value") {
  struct Case {
    const char* lines;
    const char* said;
  };
  for (const Case& one : {
           Case{"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: wrong\r\n",
                "the header Sec-WebSocket-Accept of the answer to the handshake has the wrong value"},
           Case{"Upgrade: websocket\r\nConnection: Upgrade\r\n",
                "the answer to the handshake has no header Sec-WebSocket-Accept"},
           Case{"Upgrade: h2c\r\nConnection: Upgrade\r\n",
                "the header Upgrade of the answer to the handshake has the wrong value, expected websocket"},
           Case{"Upgrade: websocket\r\nConnection: close\r\n",
                "the header Connection of the answer to the handshake has the wrong value, expected Upgrade"},
           Case{"Connection: Upgrade\r\n", "the answer to the handshake has no header Upgrade"},
       }) {
    CAPTURE(one.lines);
    RawServer server([&](Peer& peer) {
      peer.receive_head();
      peer.send(std::string("HTTP/1.1 101 X\r\n") + one.lines + "\r\n");
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->status == Status::protocol);
    CHECK(listener.error()->message.find(one.said) != std::string::npos);
  }
}

// The answer that accepts the handshake, with more header lines.
std::string acceptance(const std::string& request, const std::string& lines = "") {
  return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         accept_key(request) + "\r\n" + lines + "\r\n";
}

// RFC 9110, section 15.2: any number of interim responses may come before the final one.
TEST_CASE("interim responses before the handshake is accepted or refused are skipped, however the bytes are cut") {
  const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
  for (const bool bytewise : {false, true}) {
    RawServer server([&](Peer& peer) {
      const std::string answer = interim + acceptance(peer.receive_head()) + frame(text_frame, "one") + closing;
      if (!bytewise) peer.send(answer);
      if (bytewise) {
        for (const char byte : answer) peer.send(std::string(1, byte));
      }
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK((listener.error() ? listener.error()->message : "") == "");
    CHECK(listener.head().status == 101);
    CHECK(listener.messages() == Messages{"one"});
  }
  RawServer refusing([&](Peer& peer) {
    peer.receive_head();
    peer.send(interim + "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    peer.wait_for_close();
  });
  Listener refused;
  refused.open_websocket(connect(refusing.url()), request_for("/"));
  REQUIRE(refused.wait_for_end());
  CHECK(refused.head().status == 403);
  CHECK(refused.body() == "no");
}

TEST_CASE("a long answer to the handshake is accepted, and the messages that come with it are delivered") {
  const std::string message(100'000, 'm');
  RawServer server([&](Peer& peer) {
    const std::string request = peer.receive_head();
    peer.send(acceptance(request, "X-Long: " + std::string(60'000, 'x') + "\r\n") + frame(text_frame, message) +
              closing);
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK((listener.error() ? listener.error()->message : "") == "");
  CHECK((listener.messages() == Messages{message}));
}

TEST_CASE("an extension that was not asked for fails the WebSocket") {
  for (const char* chosen : {"permessage-deflate", "x; a=b, y"}) {
    RawServer server([&](Peer& peer) {
      peer.send(acceptance(peer.receive_head(), std::string("Sec-WebSocket-Extensions: ") + chosen + "\r\n"));
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->status == Status::protocol);
    CHECK(listener.heads() == 0);
  }
}

TEST_CASE("a subprotocol that was not asked for fails the WebSocket") {
  RawServer server([](Peer& peer) {
    const std::string request = peer.receive_head();
    peer.send("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: other\r\n" +
              std::string("Sec-WebSocket-Accept: ") + accept_key(request) + "\r\n\r\n");
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::protocol);
}

TEST_CASE("what is not the WebSocket protocol is a protocol error") {
  std::string masked = frame(text_frame, "x");
  masked[1] = static_cast<char>(masked[1] | 0x80);
  for (const std::string& bytes :
       {frame(continuation_frame, "x"), frame(3, "x"), frame(0x41, "x"), frame(ping_frame, std::string(126, 'x')),
        masked + "mask", frame(text_frame, "a", false) + frame(text_frame, "b")}) {
    Messages messages;
    const auto error = outcome_of(bytes, &messages);
    REQUIRE(error);
    CHECK(error->status == Status::protocol);
    CHECK(messages.empty());
  }
}

TEST_CASE("messages are bytes: text is delivered as it came, UTF-8 or not") {
  Messages messages;
  CHECK_FALSE(outcome_of(frame(text_frame, "\xff") + frame(text_frame, "\xe2\x82") + closing, &messages));
  CHECK(messages == Messages{"\xff", "\xe2\x82"});
}

TEST_CASE("only a close in order is no error") {
  for (const int code : {1000, 1001}) CHECK_FALSE(outcome_of(frame(close_frame, close_payload(code))));
  CHECK_FALSE(outcome_of(frame(close_frame, "")));
  const auto internal = outcome_of(frame(close_frame, close_payload(1011, "too\nslow")));
  REQUIRE(internal);
  CHECK(internal->message.find("1011 (too slow)") != std::string::npos);
  RawServer cut([](Peer& peer) {
    accept_websocket(peer);
    peer.send(frame(text_frame, "a"));
  });
  Listener listener;
  listener.open_websocket(connect(cut.url()), request_for("/"));
  REQUIRE(listener.wait_for_end());
  CHECK(listener.messages() == Messages{"a"});
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::transport);
}

TEST_CASE("a WebSocket can be dropped in every phase without waiting, within its own calls too") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    // The server never closes.
    peer.send(frame(text_frame, "one") + frame(ping_frame, "x") + frame(text_frame, "two"));
    peer.wait_for_close();
  });
  RawServer silence([](Peer& peer) { peer.wait_for_close(); });
  const auto connection = connect(server.url());
  SUBCASE("at once") {
    Listener listener;
    on_network([&] {
      listener.exchange = connection->open_websocket(request_for("/"), listener);
      listener.exchange.reset();
    });
    listener.drop();
    CHECK(listener.silent_since_drop());
    CHECK(listener.heads() == 0);
  }
  SUBCASE("within the handshakes") {
    for (const std::string& url : {silence.url(), silence.tls_url()}) {
      const int before = silence.connections();
      Listener listener;
      listener.open_websocket(connect(url), request_for("/"));
      while (silence.connections() == before) std::this_thread::yield();
      listener.drop();
      CHECK(listener.silent_since_drop());
      CHECK(listener.ends() == 0);
    }
  }
  SUBCASE("when open") {
    Listener listener;
    listener.open_websocket(connection, request_for("/"));
    REQUIRE(listener.wait_for_messages(2));
    listener.drop();
    CHECK(listener.silent_since_drop());
    CHECK(listener.ends() == 0);
  }
  for (const auto point : {Listener::Point::head, Listener::Point::body, Listener::Point::message_end}) {
    Listener listener;
    int calls_after = 0;
    bool dropped = false;
    listener.at = [&](Listener::Point now) {
      if (dropped) ++calls_after;
      if (now == point) {
        listener.exchange.reset();
        dropped = true;
      }
    };
    Request request = request_for("/");
    request.ping_interval = Milliseconds(5);
    listener.open_websocket(connection, request);
    REQUIRE((point == Listener::Point::message_end ? listener.wait_for_messages(1) : listener.wait_for_head()));
    if (point == Listener::Point::body) REQUIRE(listener.wait_for_body(3));
    listener.drop();
    CHECK(listener.silent_since_drop());
    CHECK(calls_after == 0);
  }
  Listener ended;
  ended.at = [&](Listener::Point now) {
    if (now == Listener::Point::end) ended.exchange.reset();
  };
  Request request = request_for("/");
  request.idle_timeout = Milliseconds(30);
  ended.open_websocket(connection, request);
  REQUIRE(ended.wait_for_end());
  CHECK(ended.ends() == 1);
}

TEST_CASE("secrets that the server repeats in what it says are in no error") {
  Request request = request_for("/");
  request.headers = {{"Authorization", "Bearer tok-7f3a9c2e51d8"}, {"X-Api-Key", "k9$Rw2"}};
  request.subprotocol = "base64.binary.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0LXRva2Vu";
  for (const std::string secret : {"tok-7f3a9c2e51d8", "Bearer tok-7f3a9c2e51d8", "k9$Rw2", "c2VjcmV0LXRva2Vu"}) {
    CAPTURE(secret);
    for (const bool closes : {true, false}) {
      RawServer server([&](Peer& peer) {
        const std::string asked = peer.receive_head();
        peer.send(closes ? acceptance(asked) + frame(close_frame, close_payload(1011, "no " + secret))
                         : acceptance(asked, "Sec-WebSocket-Protocol: " + secret + "\r\n"));
        peer.wait_for_close();
      });
      Listener listener;
      listener.open_websocket(connect(server.url()), request);
      REQUIRE(listener.wait_for_end());
      REQUIRE(listener.error());
      CHECK(listener.error()->message.find(secret.substr(secret.rfind(' ') + 1)) == std::string::npos);
      CHECK(listener.error()->message.find("***") != std::string::npos);
    }
  }
}

// An exchange that is paused reads no more, and one whose peer may pause bears that.
#include <doctest/doctest.h>

#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <future>
#include <string>
#include <thread>

#include "support/emulator.hpp"
#include "support/wait_limit.hpp"
#include "unit/transport/gzip.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

// What two sockets of this machine hold between them is much less.
constexpr std::size_t kMuch = std::size_t{24} << 20;

// Sends until the peer has not read for `quiet`, or all is sent. How much was sent.
std::size_t send_while_read(Peer& peer, std::size_t size, std::chrono::milliseconds quiet) {
  const std::string block(64 * 1024, 'x');
  const timeval limit{0, static_cast<suseconds_t>(quiet.count() * 1000)};
  setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  std::size_t sent = 0;
  while (sent < size) {
    const ssize_t count = ::send(peer.fd(), block.data(), std::min(block.size(), size - sent), MSG_NOSIGNAL);
    if (count <= 0) break;
    sent += static_cast<std::size_t>(count);
  }
  return sent;
}

}  // namespace

TEST_CASE("a paused response holds up the server, and what was not read comes after resume") {
  std::atomic<std::size_t> sent_while_paused{0};
  RawServer server([&](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kMuch) + "\r\n\r\n");
    std::size_t sent = send_while_read(peer, kMuch, std::chrono::milliseconds(500));
    sent_while_paused = sent;
    while (sent < kMuch) sent += send_while_read(peer, kMuch - sent, std::chrono::milliseconds(500));
    peer.wait_for_close();
  });
  Request request = request_for("/");
  // Silence is no failure while nothing is read.
  request.idle_timeout = Milliseconds(100);
  Listener listener;
  listener.at = [&](Listener::Point point) {
    if (point == Listener::Point::head) listener.exchange->pause();
  };
  listener.get(connect(server.url()), request);
  REQUIRE(listener.wait_for_head());
  for (int i = 0; i < 2000 && sent_while_paused == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(sent_while_paused < kMuch);
  CHECK(listener.ends() == 0);
  on_network([&] { listener.exchange->resume(); });
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(listener.body().size() == kMuch);
}

TEST_CASE("a paused response of gzip rests between two steps, however much one read would become") {
  constexpr std::size_t kStep = std::size_t{64} * 1024;
  const std::string text = std::string(kMuch, 'z') + "end";
  const std::string packed = gzip(text);
  // Two reads or so.
  REQUIRE(packed.size() < 2 * kStep);
  std::string body;
  bool until_end = false;
  SUBCASE("by its length") {
    body = "Content-Length: " + std::to_string(packed.size()) + "\r\n\r\n" + packed;
  }
  SUBCASE("in one chunk") {
    char size[20];
    std::snprintf(size, sizeof size, "%zx", packed.size());
    body = std::string("Transfer-Encoding: chunked\r\n\r\n") + size + "\r\n" + packed + "\r\n0\r\n\r\n";
  }
  SUBCASE("until the connection ends") {
    body = "Connection: close\r\n\r\n" + packed;
    until_end = true;
  }
  RawServer server([&](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + body);
    if (!until_end) peer.wait_for_close();
  });
  Listener listener;
  listener.at = [&](Listener::Point point) {
    if (point == Listener::Point::body) listener.exchange->pause();
  };
  listener.get(connect(server.url()), request_for("/"));
  for (std::size_t steps = 1; steps <= 10; ++steps) {
    REQUIRE(listener.wait_for_body((steps - 1) * kStep + 1));
    on_network([] {});
    CHECK(listener.body().size() <= steps * kStep);
    CHECK(listener.ends() == 0);
    on_network([&] { listener.exchange->resume(); });
  }
  on_network([&] {
    listener.at = nullptr;
    listener.exchange->resume();
  });
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK((listener.body() == text));
}

TEST_CASE("damage behind a rest is told behind what came before it, and so is an end within the gzip stream") {
  const std::string packed = gzip(std::string(kMuch, 'z'));
  std::string sent = packed;
  SUBCASE("damage") {
    sent += "no gzip";
  }
  SUBCASE("an end within") {
    sent.resize(packed.size() - 4);
  }
  RawServer server([&](Peer& peer) {
    peer.receive_head();
    peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " + std::to_string(sent.size()) +
              "\r\n\r\n" + sent);
    peer.wait_for_close();
  });
  Listener listener;
  listener.at = [&](Listener::Point point) {
    if (point == Listener::Point::body) listener.exchange->pause();
  };
  listener.get(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_body(1));
  on_network([] {});
  CHECK(listener.ends() == 0);
  on_network([&] {
    listener.at = nullptr;
    listener.exchange->resume();
  });
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->status == Status::protocol);
  CHECK(listener.body().size() == kMuch);
}

TEST_CASE("a paused WebSocket holds up the server, misses no message, and needs no pong meanwhile") {
  constexpr std::size_t count = 192;
  const std::string payload(128 * 1024, 'm');
  std::atomic<std::size_t> sent_while_paused{0};
  RawServer server([&](Peer& peer) {
    accept_websocket(peer);
    const std::string message = frame(binary_frame, payload);
    std::string all;
    for (std::size_t i = 0; i < count; ++i) all += message;
    std::size_t sent = 0;
    const timeval limit{0, 500'000};
    setsockopt(peer.fd(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    while (sent < all.size()) {
      const ssize_t some = ::send(peer.fd(), all.data() + sent, all.size() - sent, MSG_NOSIGNAL);
      if (some > 0) {
        sent += static_cast<std::size_t>(some);
      } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (sent_while_paused == 0) sent_while_paused = sent;
      } else {
        return;
      }
    }
    // The pong of the ping that came first, and the end.
    for (Frame got = read_frame(peer); got.opcode == ping_frame; got = read_frame(peer)) {
      peer.send(frame(pong_frame, got.payload));
      peer.send(frame(close_frame, close_payload(1000)));
    }
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.ping_interval = Milliseconds(20);
  request.pong_timeout = Milliseconds(100);
  request.peer_may_pause = true;
  Listener listener;
  listener.at = [&](Listener::Point point) {
    if (point == Listener::Point::head) listener.exchange->pause();
  };
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_head());
  for (int i = 0; i < 2000 && sent_while_paused == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(sent_while_paused > 0);
  CHECK(listener.messages().empty());
  on_network([&] { listener.exchange->resume(); });
  REQUIRE(listener.wait_for_messages(count));
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  for (const std::string& message : listener.messages()) CHECK(message.size() == payload.size());
}

TEST_CASE("while an exchange is paused no time limit of its response runs, and afterwards they do") {
  std::promise<void> passed;
  const std::shared_future<void> may_answer = passed.get_future().share();
  RawServer server([&](Peer& peer) {
    if (peer.receive_head().find("/silent") == std::string::npos) {
      may_answer.wait();
      peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc");
    }
    peer.wait_for_close();
  });
  const auto connection = connect(server.url());
  const auto paused_beyond = [&](Listener& listener, const std::string& target, Milliseconds Request::*limit,
                                 Milliseconds time) {
    Request request = request_for(target);
    request.*limit = time;
    on_network([&] {
      listener.exchange = connection->send(request, listener);
      listener.exchange->pause();
    });
    std::this_thread::sleep_for(time * 3 / 2);
    CHECK(listener.ends() == 0);
  };
  for (const auto limit : {&Request::response_timeout, &Request::whole_timeout}) {
    Listener silent;
    paused_beyond(silent, "/silent", limit, Milliseconds(100));
    on_network([&] { silent.exchange->resume(); });
    REQUIRE(silent.wait_for_end());
    REQUIRE(silent.error());
    CHECK(silent.error()->status == Status::timeout);

    Listener answered;
    paused_beyond(answered, "/", limit, Milliseconds(1'000));
    if (limit == &Request::response_timeout) passed.set_value();
    on_network([&] { answered.exchange->resume(); });
    REQUIRE(answered.wait_for_end());
    CHECK_FALSE(answered.error());
    CHECK(answered.body() == "abc");
  }
}

TEST_CASE("a paused exchange can be dropped") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    peer.send(frame(binary_frame, "one"));
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_messages(1));
  on_network([&] { listener.exchange->pause(); });
  listener.drop();
  CHECK(listener.silent_since_drop());
}

TEST_CASE("a peer that may pause answers no ping after something was sent, and is not given up") {
  std::atomic<int> pings{0};
  RawServer server([&](Peer& peer) {
    accept_websocket(peer);
    // It reads, but as one that is busy with the message it answers nothing until the ping has been due long ago.
    bool has_message = false;
    for (Frame got = read_frame(peer); got.opcode != -1; got = read_frame(peer)) {
      has_message = has_message || got.opcode == binary_frame;
      if (got.opcode == ping_frame && has_message && ++pings == 1) {
        std::this_thread::sleep_for(std::chrono::milliseconds(400));
        peer.send(frame(pong_frame, got.payload) + frame(close_frame, close_payload(1000)));
      }
    }
  });
  Request request = request_for("/");
  request.ping_interval = Milliseconds(100);
  request.pong_timeout = Milliseconds(50);
  request.peer_may_pause = true;
  Listener listener;
  listener.at = [&](Listener::Point point) {
    if (point == Listener::Point::head) {
      CHECK(listener.exchange->send("to a busy command", MessageType::binary, nullptr) == SendStatus::queued);
    }
  };
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
  CHECK(pings == 1);
}

TEST_CASE("a peer that may pause and got nothing since its last pong is given up without the next") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.ping_interval = Milliseconds(10);
  request.pong_timeout = Milliseconds(30);
  request.peer_may_pause = true;
  Listener listener;
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_end());
  REQUIRE(listener.error());
  CHECK(listener.error()->http_status == 408);
}

TEST_CASE("a peer that may pause is given up when data waits for it and it acknowledges nothing, whatever rests") {
  if (ksr::testing::under_emulator()) return;
  for (const bool paused : {false, true}) {
    CAPTURE(paused);
    std::promise<void> gone;
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      CHECK(read_frame(peer).payload == "before");
      CHECK(drop_all(peer.fd()));
      gone.set_value();
      peer.wait_for_close();
    });
    Request request = request_for("/");
    // A ping that is not answered says nothing after something was sent.
    request.ping_interval = Milliseconds(20);
    request.pong_timeout = Milliseconds(60);
    request.peer_may_pause = true;
    request.acknowledgement_limit = Milliseconds(300);
    Listener listener;
    listener.open_websocket(connect(server.url()), request);
    REQUIRE(listener.wait_for_head());
    const auto send = [&](const char* text) {
      on_network([&] {
        if (paused) listener.exchange->pause();
        CHECK(listener.exchange->send(text, MessageType::binary, nullptr) == SendStatus::queued);
      });
    };
    send("before");
    REQUIRE(gone.get_future().wait_for(ksr::testing::kWaitLimit) == std::future_status::ready);
    send("after");
    REQUIRE(listener.wait_for_end());
    REQUIRE(listener.error());
    CHECK(listener.error()->http_status == 408);
    CHECK(listener.error()->message.find("no acknowledgement within 300 ms") != std::string::npos);
  }
}

TEST_CASE("after a long rest what is sent has its time to be acknowledged") {
  if (ksr::testing::under_emulator()) return;
  std::promise<void> sent;
  RawServer server([&](Peer& peer) {
    accept_websocket(peer);
    // Longer than the limit without an acknowledgement, since there is nothing to acknowledge.
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
    CHECK(drop_all(peer.fd()));
    sent.set_value();
    // The look at the acknowledgements comes meanwhile.
    std::this_thread::sleep_for(std::chrono::milliseconds(700));
    CHECK(drop_nothing(peer.fd()));
    CHECK(read_frame(peer).payload == "late");
    peer.send(frame(close_frame, close_payload(1000)));
    peer.wait_for_close();
  });
  Request request = request_for("/");
  request.peer_may_pause = true;
  request.acknowledgement_limit = Milliseconds(1800);
  Listener listener;
  listener.open_websocket(connect(server.url()), request);
  REQUIRE(listener.wait_for_head());
  REQUIRE(sent.get_future().wait_for(ksr::testing::kWaitLimit) == std::future_status::ready);
  on_network([&] { CHECK(listener.exchange->send("late", MessageType::binary, nullptr) == SendStatus::queued); });
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());
}

TEST_CASE("a peer that may pause is kept while it lives: idle, or with a window of zero") {
  for (const bool much : {false, true}) {
    CAPTURE(much);
    std::promise<void> go_on;
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      go_on.get_future().wait();
      for (Frame got = read_frame(peer); got.opcode == binary_frame; got = read_frame(peer)) {
        if (got.payload == "last") peer.send(frame(close_frame, close_payload(1000)));
      }
      peer.wait_for_close();
    });
    Request request = request_for("/");
    request.peer_may_pause = true;
    // Longer than the peer's kernel may delay an acknowledgement (200 ms).
    request.acknowledgement_limit = Milliseconds(600);
    Listener listener;
    listener.open_websocket(connect(server.url()), request);
    REQUIRE(listener.wait_for_head());
    const auto send = [&](const std::string& text) {
      SendStatus status = SendStatus::closed;
      on_network([&] { status = listener.exchange->send(text, MessageType::binary, nullptr); });
      return status;
    };
    while (much && send(std::string(256 * 1024, 'm')) == SendStatus::queued) {
    }
    // The look at the acknowledgements comes several times, and the last one is longer ago than the limit.
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    go_on.set_value();
    for (SendStatus status = send("last"); status != SendStatus::queued; status = send("last")) {
      REQUIRE(status == SendStatus::full);
      std::this_thread::yield();
    }
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
}

TEST_CASE("what the server has sent before it closed is delivered, though a write to it has failed") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    // Ended without reading what was sent: the kernel answers it with RST.
    peer.send(frame(binary_frame, "the last word") + frame(close_frame, close_payload(1000)));
    peer.shut_down();
    peer.wait_for_close();
  });
  Listener listener;
  listener.at = [&](Listener::Point point) {
    if (point != Listener::Point::head) return;
    listener.exchange->pause();
    for (int i = 0; i < 8; ++i) listener.exchange->send(std::string(32 * 1024, 'i'), MessageType::binary, nullptr);
  };
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_head());
  on_network([&] { listener.exchange->resume(); });
  REQUIRE(listener.wait_for_end());
  CHECK(listener.messages() == std::vector<std::string>{"the last word"});
  CHECK_FALSE(listener.error());
}

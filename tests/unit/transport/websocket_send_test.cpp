// What is sent over a WebSocket: messages, and the close handshake from either side.
#include <doctest/doctest.h>

#include <atomic>
#include <future>

#include "support/wait_limit.hpp"
#include "unit/transport/listener.hpp"
#include "unit/transport/raw_server.hpp"
#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

SendStatus send(Listener& listener, const std::string& message, MessageType type = MessageType::binary,
                std::function<void()> written = nullptr) {
  SendStatus status = SendStatus::closed;
  on_network([&] { status = listener.exchange->send(message, type, std::move(written)); });
  return status;
}

void close(Listener& listener, int code, const std::string& reason) {
  on_network([&] { listener.exchange->close(code, reason); });
}

struct Sent {
  std::string payload;
  MessageType type;
};

// The frames that the server gets before the close frame, and that one.
std::vector<Frame> frames_of_messages(const std::vector<Sent>& messages) {
  std::vector<Frame> frames;
  {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      do {
        frames.push_back(read_frame(peer));
      } while (frames.back().opcode != close_frame && frames.back().opcode != -1);
      peer.send(frame(close_frame, frames.back().payload));
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_head());
    for (const Sent& message : messages) {
      std::promise<void> written;
      CHECK(send(listener, message.payload, message.type, [&] { written.set_value(); }) == SendStatus::queued);
      REQUIRE(written.get_future().wait_for(ksr::testing::kWaitLimit) == std::future_status::ready);
    }
    close(listener, 1000, "done");
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
  return frames;
}

}  // namespace

TEST_CASE("each message is one masked frame of its type, whatever its length") {
  const std::vector<Sent> messages = {{"text \xe2\x82\xac", MessageType::text},
                                      {std::string("\0\xff binary", 9), MessageType::binary},
                                      {"", MessageType::text},
                                      {"", MessageType::binary},
                                      {std::string(125, 'a'), MessageType::binary},
                                      {std::string(126, 'b'), MessageType::binary},
                                      {std::string(65535, 'c'), MessageType::binary},
                                      {std::string(65536, 'd'), MessageType::text},
                                      {std::string(5'000'000, 'e'), MessageType::binary}};
  const std::vector<Frame> frames = frames_of_messages(messages);
  REQUIRE(frames.size() == messages.size() + 1);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    CAPTURE(i);
    CHECK(frames[i].opcode == (messages[i].type == MessageType::text ? text_frame : binary_frame));
    CHECK(frames[i].masked);
    CHECK((frames[i].payload == messages[i].payload));
  }
  CHECK(frames.back().payload == close_payload(1000, "done"));
}

TEST_CASE("what waits to be sent is bounded, and more is accepted when it was written") {
  std::promise<void> may_read;
  std::size_t messages = 0;
  std::size_t queued = 0;
  {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      may_read.get_future().wait();
      while (read_frame(peer).opcode == binary_frame) ++messages;
      peer.send(frame(close_frame, close_payload(1000)));
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_head());
    std::atomic<std::size_t> written{0};
    const std::string message(256 * 1024, 'x');
    // The buffers of the kernel take some, and 1 MiB is queued.
    SendStatus status = SendStatus::queued;
    while (queued < 4096 && status == SendStatus::queued) {
      status = send(listener, message, MessageType::binary, [&] { ++written; });
      if (status == SendStatus::queued) ++queued;
    }
    CHECK(status == SendStatus::full);
    CHECK(queued < 4096);
    CHECK(queued - written <= 4);
    may_read.set_value();
    while (written < queued) std::this_thread::yield();
    CHECK(send(listener, message) == SendStatus::queued);
    ++queued;
    close(listener, 1000, "");
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
  }
  CHECK(messages == queued);
}

TEST_CASE("of the messages that wait at the end, all but the one whose writing had begun are unsent") {
  std::promise<void> may_close;
  RawServer server([&](Peer& peer) {
    accept_websocket(peer);
    may_close.get_future().wait();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_head());
  std::atomic<std::size_t> waiting{0};
  const std::string message(256 * 1024, 'x');
  // The buffers of the kernel take some, and grow for a while.
  for (int full = 0; full < 20;) {
    if (send(listener, message, MessageType::binary, [&] { --waiting; }) == SendStatus::queued) {
      ++waiting;
      full = 0;
    } else {
      ++full;
      std::this_thread::sleep_for(Milliseconds(5));
    }
  }
  may_close.set_value();
  REQUIRE(listener.wait_for_end());
  std::size_t unsent = 0;
  on_network([&] { unsent = listener.exchange->unsent(); });
  CHECK(waiting > 1);
  CHECK(unsent + 1 == waiting);
}

TEST_CASE("nothing is sent before the WebSocket is open, after close(), or by an HTTP exchange") {
  std::promise<void> may_accept;
  RawServer server([&](Peer& peer) {
    may_accept.get_future().wait();
    accept_websocket(peer);
    CHECK(read_frame(peer).opcode == close_frame);
    peer.send(frame(close_frame, close_payload(1000)));
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  CHECK(send(listener, "early") == SendStatus::closed);
  may_accept.set_value();
  REQUIRE(listener.wait_for_head());
  SendStatus late = SendStatus::queued;
  on_network([&] {
    listener.exchange->close(1000, "");
    late = listener.exchange->send("late", MessageType::text, nullptr);
  });
  CHECK(late == SendStatus::closed);
  REQUIRE(listener.wait_for_end());
  CHECK_FALSE(listener.error());

  RawServer silent([](Peer& peer) { peer.wait_for_close(); });
  Listener http;
  http.get(connect(silent.url()), request_for("/"));
  CHECK(send(http, "x") == SendStatus::closed);
}

TEST_CASE("a close handshake that we begin ends in order, whatever code the server answers or if it only disconnects") {
  for (const std::string& answer :
       {frame(close_frame, close_payload(4000, "bye")), frame(close_frame, ""),
        frame(text_frame, "late") + frame(close_frame, close_payload(1000)), std::string()}) {
    std::string payload;
    {
      RawServer server([&](Peer& peer) {
        accept_websocket(peer);
        payload = read_frame(peer).payload;
        peer.send(answer);
        if (!answer.empty()) peer.wait_for_close();
      });
      Listener listener;
      listener.open_websocket(connect(server.url()), request_for("/"));
      REQUIRE(listener.wait_for_head());
      close(listener, 4000, "bye");
      REQUIRE(listener.wait_for_end());
      CHECK_FALSE(listener.error());
      CHECK(listener.messages().empty());
    }
    CHECK(payload == close_payload(4000, "bye"));
  }
}

TEST_CASE("a close handshake that the server begins is answered, and messages that wait are dropped") {
  int answer = 0;
  {
    RawServer server([&](Peer& peer) {
      accept_websocket(peer);
      peer.send(frame(close_frame, close_payload(1000, "over")));
      answer = read_frame(peer).opcode;
      peer.wait_for_close();
    });
    Listener listener;
    listener.open_websocket(connect(server.url()), request_for("/"));
    REQUIRE(listener.wait_for_end());
    CHECK_FALSE(listener.error());
    CHECK(send(listener, "late") == SendStatus::closed);
  }
  CHECK(answer == close_frame);
}

TEST_CASE("an exchange may be destroyed when its message was written") {
  RawServer server([](Peer& peer) {
    accept_websocket(peer);
    peer.wait_for_close();
  });
  Listener listener;
  listener.open_websocket(connect(server.url()), request_for("/"));
  REQUIRE(listener.wait_for_head());
  std::promise<void> destroyed;
  send(listener, "one", MessageType::text, [&] {
    listener.exchange.reset();
    destroyed.set_value();
  });
  destroyed.get_future().wait();
  listener.drop();
  CHECK(listener.silent_since_drop());
  CHECK(listener.ends() == 0);
}

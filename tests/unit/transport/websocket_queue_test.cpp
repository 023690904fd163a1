// What a peer can make a WebSocket queue: measured on a stream whose writes end when the test says so.
#include <cpprest/ws_client.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/transport/websocket_peer.hpp"

using namespace test;

namespace {

class HeldStream final : public web::connected_stream {
 public:
  void read_some(void* data, std::size_t size, handler done) override {
    room_ = static_cast<char*>(data);
    room_size_ = size;
    read_ = std::move(done);
  }
  void write_all(std::string data, handler done) override {
    writes.push_back(std::move(data));
    written_ = std::move(done);
  }
  bool at_rest() noexcept override { return true; }
  void close() noexcept override {
    read_ = nullptr;
    written_ = nullptr;
  }

  void receive(const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size() && read_;) {
      const std::size_t size = std::min(room_size_, bytes.size() - at);
      std::memcpy(room_, bytes.data() + at, size);
      at += size;
      std::exchange(read_, nullptr)({}, size);
    }
  }
  // Ends the write under way; false when there is none.
  bool end_write() {
    if (!written_) return false;
    std::exchange(written_, nullptr)({}, writes.back().size());
    return true;
  }

  std::vector<std::string> writes;

 private:
  char* room_ = nullptr;
  std::size_t room_size_ = 0;
  handler read_;
  handler written_;
};

// Goes on whatever comes, so that what piles up can be seen.
class PatientDriver final : public web::websocket_driver {
 public:
  explicit PatientDriver(std::shared_ptr<HeldStream> stream) : stream_(std::move(stream)) {}

  void connect(connected done) override { connected_ = std::move(done); }
  std::string header_lines() override { return ""; }
  void attached(std::shared_ptr<web::connected_stream>) override {}
  reading receive(const char*, std::size_t) override { return reading::more; }
  reading end_of_stream() override { return reading::close; }
  void stream_failed(const boost::system::error_code&, bool) override {}
  void finished() override {}
  void exception_thrown() override {}
  answer answered() const override { return answer::accepted; }
  std::string accepted_head() const override { return ""; }
  std::size_t bytes_after_head() const override { return 0; }
  void opened() override {}
  void message_part(const std::string& bytes) override {
    parts += bytes;
    largest_part = std::max(largest_part, bytes.capacity());
  }
  void message(const std::string& payload, bool) override {
    parts += payload;
    ++messages;
  }
  void drained() override {}
  void pong() override { ++pongs; }
  void sending() override { ++messages_begun; }
  void sent() override { ++messages_sent; }
  void closed(int, const std::string&) override { ++closes; }
  void protocol_violated(const std::string&) override { ++violations; }
  void frame_too_large() override { ++violations; }

  void now_connected() { std::exchange(connected_, nullptr)(stream_); }

  std::string parts;
  std::size_t largest_part = 0;
  int messages = 0;
  int pongs = 0;
  int messages_begun = 0;
  int messages_sent = 0;
  int closes = 0;
  int violations = 0;

 private:
  std::shared_ptr<HeldStream> stream_;
  connected connected_;
};

// An open WebSocket with no write under way.
class OpenWebSocket {
 public:
  OpenWebSocket() {
    web::websockets::client::websocket_client_config config;
    config.set_driver(driver);
    config.set_max_message_size(256u * 1024 * 1024);
    client = std::make_unique<web::websockets::client::websocket_callback_client>(std::move(config));
    client->connect(web::uri("ws://127.0.0.1:1/"));
    driver->now_connected();
    REQUIRE(stream->writes.size() == 1);
    const std::string request = stream->writes[0];
    REQUIRE(stream->end_write());
    stream->receive("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
                    accept_key(request) + "\r\n\r\n");
    stream->writes.clear();
  }
  ~OpenWebSocket() { client->abort(); }
  OpenWebSocket(const OpenWebSocket&) = delete;
  OpenWebSocket& operator=(const OpenWebSocket&) = delete;

  void end_all_writes() {
    while (stream->end_write()) {
    }
  }

  std::shared_ptr<HeldStream> stream = std::make_shared<HeldStream>();
  std::shared_ptr<PatientDriver> driver = std::make_shared<PatientDriver>(stream);
  std::unique_ptr<web::websockets::client::websocket_callback_client> client;
};

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

std::string together(const std::vector<std::string>& writes) {
  std::string all;
  for (const std::string& bytes : writes) all += bytes;
  return all;
}

}  // namespace

TEST_CASE("pings that come while a write is under way are one pong, for the last of them") {
  OpenWebSocket socket;
  socket.stream->receive(frame(ping_frame, "first"));
  REQUIRE(socket.stream->writes.size() == 1);
  CHECK(frames_of(socket.stream->writes[0])[0].payload == "first");

  socket.stream->receive(repeated(frame(ping_frame, std::string(125, 'x')), 100'000) + frame(ping_frame, "last"));
  CHECK(socket.stream->writes.size() == 1);
  socket.end_all_writes();
  REQUIRE(socket.stream->writes.size() == 2);
  const std::vector<Frame> frames = frames_of(socket.stream->writes[1]);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].opcode == pong_frame);
  CHECK(frames[0].masked);
  CHECK(frames[0].payload == "last");

  // And then as at first.
  socket.stream->receive(frame(ping_frame, "again"));
  REQUIRE(socket.stream->writes.size() == 3);
  CHECK(frames_of(socket.stream->writes[2])[0].payload == "again");
}

TEST_CASE("close frames that are against the rules do not pile up answers") {
  for (const std::string& payload : {close_payload(5), close_payload(1000, "\xff"), close_payload(1000)}) {
    OpenWebSocket socket;
    socket.stream->receive(repeated(frame(close_frame, payload), 100'000));
    socket.end_all_writes();
    const std::string bytes = together(socket.stream->writes);
    CHECK(bytes.size() <= 2048);
    REQUIRE(!bytes.empty());
    CHECK(frames_of(bytes)[0].opcode == close_frame);
  }
}

TEST_CASE("pings of our own that are not written do not pile up without end") {
  OpenWebSocket socket;
  int taken = 0;
  for (int i = 0; i < 1000; ++i) taken += socket.client->ping() ? 1 : 0;
  CHECK(taken >= 1);
  socket.end_all_writes();
  CHECK(together(socket.stream->writes).size() <= 2048);
  // What was written makes room.
  CHECK(socket.client->ping());
}

TEST_CASE("only a pong with the payload of our last ping is one, and once") {
  OpenWebSocket socket;
  socket.stream->receive(frame(pong_frame, "") + frame(pong_frame, "x"));
  CHECK(socket.driver->pongs == 0);

  REQUIRE(socket.client->ping());
  socket.end_all_writes();
  const std::string first = frames_of(socket.stream->writes.back())[0].payload;
  CHECK(first.size() == 16);
  socket.stream->receive(frame(pong_frame, "") + frame(pong_frame, "x") + frame(pong_frame, first + "x"));
  CHECK(socket.driver->pongs == 0);
  socket.stream->receive(frame(pong_frame, first) + frame(pong_frame, first));
  CHECK(socket.driver->pongs == 1);

  REQUIRE(socket.client->ping());
  socket.end_all_writes();
  const std::string second = frames_of(socket.stream->writes.back())[0].payload;
  CHECK(second != first);
  socket.stream->receive(frame(pong_frame, first));
  CHECK(socket.driver->pongs == 1);
  socket.stream->receive(frame(pong_frame, second));
  CHECK(socket.driver->pongs == 2);
}

namespace {

web::websockets::client::websocket_outgoing_message message_of(const std::string& payload) {
  web::websockets::client::websocket_outgoing_message message;
  const std::vector<unsigned char> bytes(payload.begin(), payload.end());
  message.set_binary_message(concurrency::streams::bytestream::open_istream(bytes), bytes.size());
  return message;
}

}  // namespace

TEST_CASE("messages are written one at a time, and pongs go before the messages that wait") {
  OpenWebSocket socket;
  for (const char* payload : {"one", "two", "three"}) socket.client->send(message_of(payload));
  REQUIRE(socket.stream->writes.size() == 1);
  CHECK(frames_of(socket.stream->writes[0])[0].payload == "one");
  CHECK(socket.driver->messages_begun == 1);
  CHECK(socket.driver->messages_sent == 0);

  socket.stream->receive(frame(ping_frame, "ping"));
  CHECK(socket.stream->writes.size() == 1);
  REQUIRE(socket.stream->end_write());
  CHECK(socket.driver->messages_sent == 1);
  REQUIRE(socket.stream->writes.size() == 2);
  CHECK(frames_of(socket.stream->writes[1])[0].opcode == pong_frame);
  CHECK(socket.driver->messages_begun == 1);

  socket.end_all_writes();
  CHECK(socket.driver->messages_begun == 3);
  CHECK(socket.driver->messages_sent == 3);
  REQUIRE(socket.stream->writes.size() == 4);
  CHECK(frames_of(socket.stream->writes[2])[0].payload == "two");
  CHECK(frames_of(socket.stream->writes[3])[0].payload == "three");
  for (const std::string& bytes : socket.stream->writes) CHECK(frames_of(bytes).size() == 1);
}

TEST_CASE("our close frame comes after the messages that wait, once, and nothing is sent after it") {
  OpenWebSocket socket;
  socket.client->send(message_of("one"));
  socket.client->send(message_of("two"));
  socket.client->close(web::websockets::client::websocket_close_status::normal, "done");
  socket.client->close(web::websockets::client::websocket_close_status::going_away, "again");
  socket.client->send(message_of("late"));
  socket.end_all_writes();
  const std::vector<Frame> frames = frames_of(together(socket.stream->writes));
  REQUIRE(frames.size() == 3);
  CHECK(frames[0].payload == "one");
  CHECK(frames[1].payload == "two");
  CHECK(frames[2].opcode == close_frame);
  CHECK(frames[2].payload == close_payload(1000, "done"));
  CHECK(socket.driver->violations == 0);
  socket.stream->receive(frame(close_frame, close_payload(1000)));
  CHECK(socket.driver->closes == 1);
}

TEST_CASE("once the server has closed, no message begins") {
  OpenWebSocket socket;
  socket.client->send(message_of("one"));
  socket.client->send(message_of("two"));
  socket.stream->receive(frame(close_frame, close_payload(1000)));
  socket.end_all_writes();
  CHECK(socket.driver->messages_begun == 1);
  CHECK(frames_of(together(socket.stream->writes)).size() == 2);
}

TEST_CASE("what comes of a message is passed on before it is complete, and nothing of it is kept") {
  OpenWebSocket open;
  // 200 MB are announced; the peer says so of the frame, and of the message that it goes on with.
  std::string header = {static_cast<char>(0x81), 127, 0, 0, 0, 0, 11, static_cast<char>(0xeb),
                        static_cast<char>(0xc2), 0};
  open.stream->receive(header + "first");
  CHECK(open.driver->parts == "first");
  for (int i = 0; i < 100; ++i) open.stream->receive(std::string(50'000, 'x'));
  CHECK(open.driver->parts.size() == 5'000'005);
  CHECK(open.driver->largest_part < 1'000'000);
  CHECK(open.driver->messages == 0);
}

TEST_CASE(
    "fragments without end are passed on one by one, and control frames between them are no part of the message") {
  OpenWebSocket open;
  open.stream->receive(frame(text_frame, "a", false));
  CHECK(open.driver->parts == "a");
  for (int i = 0; i < 1000; ++i) {
    open.stream->receive(frame(continuation_frame, std::string(1000, 'b'), false) + frame(ping_frame, "ping"));
    open.end_all_writes();
  }
  CHECK(open.driver->parts.size() == 1'000'001);
  CHECK(open.driver->messages == 0);
  open.stream->receive(frame(continuation_frame, "", false) + frame(continuation_frame, "end") +
                       frame(text_frame, "next"));
  CHECK(open.driver->messages == 2);
  CHECK(open.driver->parts.substr(1'000'001) == "endnext");
}

TEST_CASE("of a message that begins after our close frame nothing is passed on") {
  OpenWebSocket open;
  open.client->close();
  open.stream->receive(frame(text_frame, "late", false));
  CHECK(open.driver->parts.empty());
}

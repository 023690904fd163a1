// Bytes both ways (rules 5 to 8, 12, 14): bounded, in order, at rest where either side is.
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "server/channels/on_channels.hpp"

using namespace ksr::testing;
using ksr::testserver::RecordedStream;

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;
// What a socket's buffers on loopback hold, several times over.
constexpr std::size_t kBeyondSockets = 64 * kMegabyte;

RecordedStream only_stream(ChannelServer& on) {
  const std::vector<RecordedStream> streams = on.server.streams();
  REQUIRE(streams.size() == 1);
  return streams[0];
}

}  // namespace

TEST_CASE("a host that takes nothing makes the server wait, and gets every byte afterwards") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out-bytes=" + std::to_string(kBeyondSockets) + " exit=5");
  ChannelUser user;
  std::atomic<bool> takes{false};
  user.taking = [&](ksr_channel*, std::int32_t, const std::string& bytes) { return takes ? bytes.size() : 0; };
  REQUIRE(user.open(client.client(), exec_of({{"receive_buffer", "64Ki"}})) == KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") >= 32 * 1024; }));
  // Rest cannot be proven, only watched for a while.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(user.stat("bytes_received") < kMegabyte);
  CHECK(user.count(KSR_EVENT_CLOSED) == 0);
  takes = true;
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_OK);
  const ChannelEnd end = user.wait();
  CHECK(end.exit_code == 5);
  CHECK(user.bytes(KSR_PART_STDOUT) == alphabet(kBeyondSockets));
  CHECK(user.stat("stalled_ms") > 0);
  user.close();
  CHECK(user.violations() == std::vector<std::string>{});
}

TEST_CASE("a host that takes a part of what it is given gets the rest with the next call") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out-bytes=100000 exit=0");
  ChannelUser user;
  user.taking = [&](ksr_channel* channel, std::int32_t part, const std::string& bytes) {
    // Also inside on_data.
    CHECK(ksr_channel_resume(channel, part) == KSR_OK);
    return std::min<std::size_t>(bytes.size(), 777);
  };
  REQUIRE(user.open(client.client(), exec_of()) == KSR_OK);
  CHECK(user.wait().exit_code == 0);
  CHECK(user.bytes(KSR_PART_STDOUT) == alphabet(100'000));
}

TEST_CASE("one part at rest does not stop the other while there is room") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web err=held out=first out=second exit=0");
  ChannelUser user;
  std::atomic<bool> takes_errors{false};
  user.taking = [&](ksr_channel*, std::int32_t part, const std::string& bytes) {
    return part == KSR_PART_STDERR && !takes_errors ? 0 : bytes.size();
  };
  REQUIRE(user.open(client.client(), exec_of()) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "firstsecond"));
  CHECK(user.count(KSR_EVENT_CLOSED) == 0);
  takes_errors = true;
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDERR) == KSR_OK);
  CHECK(user.wait().exit_code == 0);
  CHECK(user.bytes(KSR_PART_STDERR) == "held");
}

TEST_CASE("pull: the same bytes, KSR_OK with nothing at the end, and READABLE events") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out-bytes=300000 err=oops exit=9");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of(), ChannelUser::Mode::pull) == KSR_OK);
  std::string out;
  char space[1'000];
  std::size_t got = 0;
  do {
    REQUIRE(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, sizeof space, 20'000, &got) == KSR_OK);
    out.append(space, got);
  } while (got > 0);
  CHECK(out == alphabet(300'000));
  REQUIRE(ksr_channel_read(user.channel(), KSR_PART_STDERR, space, sizeof space, 20'000, &got) == KSR_OK);
  CHECK(std::string(space, got) == "oops");
  CHECK(ksr_channel_read(user.channel(), KSR_PART_STDERR, space, sizeof space, 20'000, &got) == KSR_OK);
  CHECK(got == 0);
  CHECK(user.wait().exit_code == 9);
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  CHECK(user.count(KSR_EVENT_READABLE) > 0);
  CHECK(user.count(KSR_EVENT_FINISHED) == 2);
}

TEST_CASE("pull of a channel that was lost: its bytes first, then the error") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out=rest cut");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of(), ChannelUser::Mode::pull) == KSR_OK);
  CHECK(user.wait().status == KSR_E_LOST);
  char space[100];
  std::size_t got = 0;
  CHECK(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, sizeof space, 20'000, &got) == KSR_OK);
  CHECK(std::string(space, got) == "rest");
  CHECK(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, sizeof space, 20'000, &got) == KSR_E_LOST);
}

TEST_CASE("what is written arrives in order, in messages of at most 32 KiB that are not fragmented") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const std::string text = alphabet(3 * kMegabyte);
  on.server.script("stream exec web wait-bytes=" + std::to_string(text.size()) + " wait-eof exit=0");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of({{"stdin", "true"}})) == KSR_OK);
  CHECK(user.write_all(KSR_PART_STDIN, text) == KSR_OK);
  CHECK(ksr_channel_finish(user.channel(), KSR_PART_STDIN) == KSR_OK);
  CHECK(user.wait().exit_code == 0);
  const RecordedStream stream = only_stream(on);
  CHECK(stream.written == text);
  CHECK(stream.input_ended);
  CHECK(stream.largest_message <= 32 * 1024 + 1);
  CHECK(stream.violations == std::vector<std::string>{});
  CHECK(user.stat("bytes_sent") >= text.size());
  std::size_t taken = 1;
  CHECK(ksr_channel_write(user.channel(), KSR_PART_STDIN, "x", 1, 0, &taken) < KSR_OK);
}

TEST_CASE("a server that does not read: as much is taken as fits, then KSR_E_TIMEOUT, then WRITABLE") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web deaf sleep=600ms hear echo");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of({{"stdin", "true"},
                                              {"exec_protocol", "v4"},
                                              {"send_buffer", "64Ki"},
                                              {"ping_interval", "50ms"},
                                              {"pong_timeout", "100ms"}})) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_OPEN));
  const std::string piece = alphabet(kMegabyte);
  std::string written;
  std::size_t taken = 0;
  ksr_status status = KSR_OK;
  // The sockets' buffers take some megabytes; without bounds of the library this would go on to the end.
  while (status == KSR_OK && written.size() < kBeyondSockets) {
    status = ksr_channel_write(user.channel(), KSR_PART_STDIN, piece.data(), piece.size(), 0, &taken);
    CHECK(taken <= 64 * 1024);
    written += piece.substr(0, taken);
  }
  CHECK(status == KSR_E_TIMEOUT);
  CHECK(taken == 0);
  CHECK(user.wait_for_event(KSR_EVENT_WRITABLE));
  // No pong came meanwhile, and data was under way: that is no failure.
  CHECK(user.wait_until([&](const ChannelUser& now) { return now.bytes(KSR_PART_STDOUT).size() == written.size(); }));
  CHECK(user.bytes(KSR_PART_STDOUT) == written);
  CHECK(user.count(KSR_EVENT_CLOSED) == 0);
}

TEST_CASE("a peer that is idle and answers no pings is dead") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web no-pong out=here");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of({{"ping_interval", "50ms"}, {"pong_timeout", "100ms"}})) == KSR_OK);
  CHECK(user.wait().status == KSR_E_LOST);
  CHECK(user.bytes(KSR_PART_STDOUT) == "here");
  on.server.script("stream exec web out=here sleep=500ms exit=2");
  ChannelUser answered;
  REQUIRE(answered.open(client.client(), exec_of({{"ping_interval", "50ms"}, {"pong_timeout", "2s"}})) == KSR_OK);
  CHECK(answered.wait().exit_code == 2);
  CHECK(on.server.streams().at(1).pings > 0);
  on.server.script("stream exec web no-pong out=here sleep=500ms exit=3");
  ChannelUser unlimited;
  REQUIRE(unlimited.open(client.client(), exec_of({{"ping_interval", "50ms"}, {"pong_timeout", "0"}})) == KSR_OK);
  CHECK(unlimited.wait().exit_code == 3);
}

TEST_CASE("the end of stdin: v5 sends it, v4 cannot") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web wait-eof out=over exit=0");
  ChannelUser early;
  REQUIRE(early.open(client.client(), exec_of({{"stdin", "true"}})) == KSR_OK);
  // Before the protocol is known.
  CHECK(early.write_all(KSR_PART_STDIN, "all") == KSR_OK);
  CHECK(ksr_channel_finish(early.channel(), KSR_PART_STDIN) == KSR_OK);
  CHECK(early.wait().exit_code == 0);
  CHECK(only_stream(on).written == "all");
  std::size_t taken = 0;
  on.server.script("stream exec web");
  ChannelUser terminal;
  REQUIRE(terminal.open(client.client(), exec_of({{"stdin", "true"}, {"tty", "true"}})) == KSR_OK);
  CHECK(terminal.wait_for_event(KSR_EVENT_OPEN));
  CHECK(ksr_channel_finish(terminal.channel(), KSR_PART_STDIN) == KSR_E_UNSUPPORTED);
  CHECK(ksr_channel_write(terminal.channel(), KSR_PART_STDIN, "x", 1, 1'000, &taken) == KSR_OK);
  CHECK(on.server.streams().at(1).violations == std::vector<std::string>{});
}

TEST_CASE("the size of a terminal: the first with the opening, afterwards the newest") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web wait-resize=2 exit=0");
  ChannelUser user;
  REQUIRE(user.open(client.client(),
                    exec_of({{"stdin", "true"}, {"tty", "true"}, {"columns", "80"}, {"rows", "24"}})) == KSR_OK);
  CHECK(user.wait_for_event(KSR_EVENT_OPEN));
  CHECK(ksr_channel_resize(user.channel(), 0, 24) == KSR_E_INVALID);
  CHECK(ksr_channel_resize(user.channel(), 65'536, 24) == KSR_E_INVALID);
  CHECK(ksr_channel_resize(user.channel(), 132, 43) == KSR_OK);
  CHECK(user.wait().exit_code == 0);
  const RecordedStream stream = only_stream(on);
  CHECK(stream.resizes.back() == R"({"Width":132,"Height":43})");
  CHECK(stream.violations == std::vector<std::string>{});
  CHECK_FALSE(has(stream.target, "stderr=true"));
}

TEST_CASE("a resize without a terminal is refused: the server would stop reading") {
  ChannelServer on;
  const Requester client(on.client_settings());
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of({{"stdin", "true"}})) == KSR_OK);
  CHECK(ksr_channel_resize(user.channel(), 80, 24) == KSR_E_INVALID);
}

TEST_CASE("cancel: a close 1000 for the server, CLOSED for the host and nothing else") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out=hello");
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of()) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "hello"));
  ksr_channel_cancel(user.channel());
  const std::size_t events = user.events().size();
  const ChannelEnd end = user.wait();
  CHECK(end.status == KSR_E_CANCELLED);
  CHECK(end.maybe_done == 1);
  CHECK(user.wait_for_event(KSR_EVENT_CLOSED));
  CHECK(user.events().size() <= events + 1);
  user.close();
  CHECK(user.violations() == std::vector<std::string>{});
  bool told = false;
  for (int i = 0; i < 200 && !told; ++i) {
    told = only_stream(on).close_code == 1000;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(told);
}

TEST_CASE("an end that was known when the channel was cancelled is no success while bytes are untaken") {
  ChannelServer on;
  on.server.script(
      "stream exec web out-bytes=100000 exit=0\nstream attach web out-bytes=100000 exit=0\n"
      "stream portforward web out-bytes=100000 close=1000\nstream proxy web text=one binary=two close=1000\n"
      "log web line=one line=two end");
  const std::string proxy = "/api/v1/namespaces/default/pods/web/proxy";
  for (const Settings& settings :
       {exec_of(), of_pod("attach", {{"container", "main"}}), of_pod("portforward", {{"port", "80"}}), of_pod("log"),
        Settings{{"kind", "websocket"}, {"path", proxy}},
        Settings{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}}}) {
    for (const ChannelUser::Mode mode : {ChannelUser::Mode::push, ChannelUser::Mode::pull}) {
      for (const std::string how : {"cancel", "client", "close", "close_async"}) {
        CAPTURE(settings[0].second);
        CAPTURE(how);
        CAPTURE((mode == ChannelUser::Mode::push));
        // Outlives the client, which waits for the last callback of what close_async ends.
        ChannelUser user;
        const Requester client(on.client_settings());
        user.taking = [](ksr_channel*, std::int32_t, const std::string&) { return std::size_t{0}; };
        REQUIRE(user.open(client.client(), settings, mode) == KSR_OK);
        REQUIRE(user.wait_until([](const ChannelUser& now) { return now.stat("state") == 9; }));
        CHECK(user.stat("held_bytes") > 0);
        if (how == "close") {
          user.close();
        } else if (how == "close_async") {
          ksr_channel_close_async(user.channel());
        } else {
          how == "cancel" ? ksr_channel_cancel(user.channel()) : ksr_client_cancel(client.client());
          const ChannelEnd end = user.wait();
          CHECK(end.status == KSR_E_CANCELLED);
          const bool only_reads = settings[0].second == "log" || settings[0].second == "http";
          CHECK(end.maybe_done == (only_reads ? 0 : 1));
          CHECK_FALSE(end.exit_code);
          CHECK(user.stat("exit_verified") == 0);
          CHECK(user.stat("state") == 9);
        }
        REQUIRE(user.wait_for_event(KSR_EVENT_CLOSED));
        CHECK(user.events().back().status == KSR_E_CANCELLED);
        // Nothing has come of that one.
        for (const ChannelEvent& event : user.events()) {
          if (event.event == KSR_EVENT_FINISHED) CHECK(event.part == KSR_PART_STDERR);
        }
        if (how == "close_async") continue;
        user.close();
        CHECK(user.violations() == std::vector<std::string>{});
      }
    }
  }
}

TEST_CASE(
    "a cancel inside the on_data that is given the last bytes comes before the end; one behind it changes nothing") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out=hello exit=5");
  for (const bool inside : {true, false}) {
    CAPTURE(inside);
    ChannelUser user;
    user.taking = [&](ksr_channel* channel, std::int32_t, const std::string& bytes) {
      std::uint64_t state = 0;
      std::uint64_t held = 0;
      CHECK(ksr_channel_stat(channel, "held_bytes", &held) == KSR_OK);
      CHECK(held == bytes.size());
      while (inside && ksr_channel_stat(channel, "state", &state) == KSR_OK && state != 9) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      if (inside) ksr_channel_cancel(channel);
      return bytes.size();
    };
    REQUIRE(user.open(client.client(), exec_of()) == KSR_OK);
    REQUIRE(user.wait_for_event(KSR_EVENT_CLOSED));
    CHECK(user.events().back().status == (inside ? KSR_E_CANCELLED : KSR_OK));
    if (!inside) ksr_channel_cancel(user.channel());
    const ChannelEnd end = user.wait();
    CHECK(end.status == (inside ? KSR_E_CANCELLED : KSR_OK));
    CHECK(end.exit_code == (inside ? std::optional<int>() : std::optional<int>(5)));
  }
}

TEST_CASE("a channel can be closed at any moment, to a server that is deaf too") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web deaf out-bytes=1000000");
  for (int i = 0; i < 20; ++i) {
    ChannelUser user;
    REQUIRE(user.open(client.client(), exec_of({{"stdin", "true"}})) == KSR_OK);
    if (i % 3 > 0) CHECK(user.wait_for_event(KSR_EVENT_CONNECTING));
    if (i % 3 > 1) CHECK(user.write_all(KSR_PART_STDIN, alphabet(100'000)) == KSR_OK);
    user.close();
    CHECK(user.violations() == std::vector<std::string>{});
  }
}

TEST_CASE("closing the client closes its channels") {
  ChannelServer on;
  ChannelUser user;
  {
    const Requester client(on.client_settings());
    on.server.script("stream exec web out=hello");
    REQUIRE(user.open(client.client(), exec_of()) == KSR_OK);
    CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "hello"));
  }
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") == ~std::uint64_t{0}; }));
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_E_INVALID);
}

TEST_CASE("inside a callback: close would deadlock, close_async ends it, waits of 0 and writes are allowed") {
  ChannelServer on;
  const Requester client(on.client_settings());
  on.server.script("stream exec web out=hello");
  ChannelUser user;
  std::atomic<ksr_status> closed{KSR_OK};
  std::atomic<ksr_status> waited{KSR_OK};
  std::atomic<ksr_status> wrote{KSR_E_INTERNAL};
  user.taking = [&](ksr_channel* channel, std::int32_t, const std::string& bytes) {
    std::size_t taken = 0;
    closed = ksr_channel_close(channel);
    waited = ksr_channel_wait(channel, 0, nullptr, nullptr);
    wrote = ksr_channel_write(channel, KSR_PART_STDIN, "x", 1, 1'000, &taken);
    return bytes.size();
  };
  REQUIRE(user.open(client.client(), exec_of({{"stdin", "true"}})) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "hello"));
  CHECK(closed == KSR_E_WOULD_DEADLOCK);
  CHECK(waited == KSR_E_TIMEOUT);
  CHECK(wrote == KSR_OK);
}

TEST_CASE("what cannot be meant is KSR_E_INVALID") {
  ChannelServer on;
  const Requester client(on.client_settings());
  const auto opens = [&](const Settings& settings) {
    ChannelUser user;
    return user.open(client.client(), settings);
  };
  CHECK(opens({{"namespace", "default"}, {"name", "web"}}) == KSR_E_INVALID);
  CHECK(opens(of_pod("exec")) == KSR_E_INVALID);
  CHECK(opens({{"kind", "exec"}, {"command", "a"}, {"namespace", "default"}}) == KSR_E_INVALID);
  CHECK(opens(of_pod("portforward")) == KSR_E_INVALID);
  for (const char* port : {"0", "65536", "-1", "http"}) {
    CHECK(opens(of_pod("portforward", {{"port", port}})) == KSR_E_INVALID);
  }
  CHECK(opens(exec_of({{"stdout", "false"}, {"stderr", "false"}})) == KSR_E_INVALID);
  CHECK(opens(exec_of({{"tty", "true"}, {"stderr", "true"}})) == KSR_E_INVALID);
  CHECK(opens(exec_of({{"command", ""}})) == KSR_OK);
  CHECK(opens(of_pod("exec", {{"command", ""}})) == KSR_E_INVALID);
  CHECK(opens(exec_of({{"columns", "80"}, {"rows", "24"}})) == KSR_E_INVALID);
  CHECK(opens(of_pod("log", {{"stdin", "true"}})) == KSR_E_INVALID);
  CHECK(opens(of_pod("log", {{"tail", "-1"}})) == KSR_E_INVALID);
  CHECK(opens({{"kind", "log"}, {"name", "web"}}) == KSR_E_INVALID);
  CHECK(opens(of_pod("log", {{"query.tailLines", "1"}, {"follow", "true"}})) == KSR_E_INVALID);
  CHECK(opens({{"kind", "http"}, {"method", "DELETE"}, {"resource", "v1/pods"}, {"namespace", "default"}}) ==
        KSR_E_INVALID);
  // Text that goes in is UTF-8; what is written need not be.
  CHECK(opens(exec_of({{"command", "\xff"}})) == KSR_E_INVALID);
  ChannelUser user;
  REQUIRE(user.open(client.client(), exec_of({{"stderr", "false"}}), ChannelUser::Mode::pull) == KSR_OK);
  char space[10];
  std::size_t count = 7;
  CHECK(ksr_channel_read(user.channel(), KSR_PART_STDERR, space, sizeof space, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_read(user.channel(), 5, space, sizeof space, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_read(user.channel(), KSR_PART_STDOUT, space, 0, 0, &count) == KSR_OK);
  CHECK(count == 0);
  count = 77;
  CHECK(ksr_channel_read(user.channel(), 5, space, sizeof space, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_write(user.channel(), KSR_PART_STDIN, "x", 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_write(user.channel(), KSR_PART_STDOUT, "x", 1, 0, &count) == KSR_E_INVALID);
  // Untouched, as all out-parameters of what fails.
  CHECK(count == 77);
  CHECK(ksr_channel_finish(user.channel(), KSR_PART_STDOUT) == KSR_E_INVALID);
  CHECK(ksr_channel_info(user.channel(), "no such name", space, sizeof space) == 0);
  std::uint64_t value = 0;
  CHECK(ksr_channel_stat(user.channel(), "no such name", &value) == KSR_E_UNKNOWN_KEY);
  ChannelUser log;
  REQUIRE(log.open(client.client(), of_pod("log"), ChannelUser::Mode::pull) == KSR_OK);
  CHECK(ksr_channel_write(log.channel(), KSR_PART_STDIN, "x", 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_resize(log.channel(), 80, 24) == KSR_E_INVALID);
  ksr_channel* const closed = user.channel();
  user.close();
  CHECK(ksr_channel_read(closed, KSR_PART_STDOUT, space, sizeof space, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_close(closed) == KSR_E_INVALID);
  CHECK(ksr_channel_close(nullptr) == KSR_OK);
}

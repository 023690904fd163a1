// Channels through ksr.hpp: logs, commands, ports, WebSockets.
#include "host/cpp/wrapped.hpp"
#include "server/channels/on_channels.hpp"

using namespace ksr::testing;
using ksr::part;
using ksr::status;

namespace {

constexpr const char* kProxy = "/api/v1/namespaces/default/pods/web/proxy";

ksr::params params_of(const Settings& settings) {
  ksr::params params;
  for (const auto& [key, value] : settings) params.set(key, value);
  return params;
}

ksr::params command(const Settings& more = {}) {
  return params_of(exec_of(more));
}

ksr::params websocket() {
  return ksr::params{{"kind", "websocket"}, {"path", kProxy}};
}

}  // namespace

TEST_CASE("exec: what it writes, its exit code, and an end that is not known") {
  ChannelServer on;
  const ksr::client client(client_on(on.server));
  on.server.script("stream exec web out=hello err=oops exit=7");
  ksr::channel channel = client.open_channel(command());
  CHECK(channel.read_all(part::std_out) == "hello");
  CHECK(channel.read_all(part::std_err) == "oops");
  CHECK(channel.wait(kWaitLimit) == 7);
  CHECK(channel.info("protocol") == "v4.channel.k8s.io");
  CHECK(channel.info("colour") == "");
  CHECK(channel.stat("bytes_received") > 0);
  CHECK(channel.try_stat("colour") == std::nullopt);
  CHECK(channel.try_resize(80, 24) == status::invalid);
  CHECK(channel.try_write(part::data, "x").code == status::invalid);
  channel.close();
  CHECK(channel.try_close() == status::invalid);
  for (const int code : {0, 1}) {
    on.server.script("stream exec web exit=" + std::to_string(code));
    CHECK(client.open_channel(command()).wait(kWaitLimit) == code);
  }
  on.server.script("stream exec web out=half cut");
  channel = client.open_channel(command());
  const auto lost = channel.try_wait(kWaitLimit);
  CHECK(lost.code() == status::lost);
  CHECK(lost.failure().maybe_done());
  CHECK(status_of([&] { channel.wait(); }) == status::lost);
  CHECK(status_of([&] { channel.read_all(part::std_out); }) == status::lost);
}

TEST_CASE("exec: standard input, whole and to its end") {
  ChannelServer on;
  const ksr::client client(client_on(on.server));
  on.server.script("stream exec web echo wait-eof exit=0");
  const std::string text = alphabet(300'000);
  Told told;
  std::string back;
  ksr::params params = command({{"stdin", "true"}, {"stderr", "false"}});
  params.on_data([&](ksr::channel_ref channel, part which, std::string_view bytes) {
    CHECK(which == part::std_out);
    // At most so much at once; the rest comes with resume, inside too.
    const std::string_view taken = bytes.substr(0, 10'000);
    back += taken;
    if (taken.size() < bytes.size()) channel.resume(which);
    return taken.size();
  });
  params.on_event([&](ksr::channel_ref, const ksr::event& event) {
    if (event.kind == ksr::event_kind::open) told.say("open");
    if (event.kind == ksr::event_kind::closed) told.say(event.failure ? event.failure->what() : "closed");
  });
  params.on_destroy([&] { told.say("destroyed"); });
  ksr::channel channel = client.open_channel(params);
  channel.write_all(part::std_in, text);
  channel.finish(part::std_in);
  CHECK(channel.wait(kWaitLimit) == 0);
  channel.close();
  CHECK(back == text);
  CHECK(told.all() == std::vector<std::string>{"open", "closed", "destroyed"});
}

TEST_CASE("a log has no exit code") {
  ChannelServer on;
  const ksr::client client(client_on(on.server));
  on.server.script("log web line=one line=two end");
  ksr::channel channel = client.open_channel(params_of(of_pod("log")));
  CHECK(channel.read_all(part::std_out) == "one\ntwo\n");
  CHECK(channel.wait() == std::nullopt);
  CHECK(channel.try_read(part::std_out, nullptr, 0).is_end());
  CHECK(channel.try_read(part::std_err, nullptr, 0).code == status::invalid);
  CHECK(client.open_channel(params_of(of_pod("log", {{"name", "none"}}))).try_wait(kWaitLimit).code() ==
        status::not_found);
  CHECK(client.try_open_channel(params_of(of_pod("log", {{"stdin", "true"}}))).code() == status::invalid);
}

TEST_CASE("a forwarded port") {
  ChannelServer on;
  const ksr::client client(client_on(on.server));
  ksr::channel channel = client.open_channel(params_of(of_pod("portforward", {{"port", "28080"}})));
  CHECK(channel.write(part::data, "ping") == 4);
  char back[4];
  std::size_t got = 0;
  while (got < sizeof back) got += channel.read(part::data, back + got, sizeof back - got, kWaitLimit);
  CHECK(std::string(back, sizeof back) == "ping");
  CHECK(channel.try_read(part::data, back, sizeof back, std::chrono::milliseconds(1)).code == status::timeout);
  CHECK(channel.try_finish(part::data) == status::unsupported);
  CHECK(status_of([&] { channel.finish(part::data); }) == status::unsupported);
  channel.cancel();
  CHECK(status_of([&] { channel.read(part::data, back, 1); }) == status::cancelled);
}

TEST_CASE("a channel that has ended with a timeout: its messages first, then that error, told from one of the call") {
  ChannelServer on;
  const ksr::client client(client_on(on.server));
  on.server.script("stream proxy web text=one no-pong\nfault get pods stall bytes=0");
  ksr::params silent = websocket();
  silent.set("ping_interval", "50ms").set("pong_timeout", "50ms");
  const ksr::channel channel = client.open_channel(silent);
  CHECK(channel.read_message(part::text, kWaitLimit) == "one");
  const auto http_status = [](auto&& action) {
    try {
      action();
    } catch (const ksr::error& error) {
      CHECK(error.code() == status::timeout);
      return error.http_status();
    }
    return -1;
  };
  char byte = 0;
  CHECK(http_status([&] { channel.read_message(part::binary, kWaitLimit); }) == 408);
  for (const ksr::time_limit limit :
       {ksr::time_limit(kWaitLimit), ksr::time_limit(std::chrono::milliseconds(0)), ksr::time_limit(ksr::forever)}) {
    CHECK(http_status([&] { channel.read_message(part::text, limit); }) == 408);
    CHECK(http_status([&] { channel.write(part::text, "x", limit); }) == 408);
    CHECK_FALSE(channel.try_read(part::text, &byte, 1, limit).not_yet);
    CHECK_FALSE(channel.try_write(part::text, "x", limit).not_yet);
  }
  const ksr::channel body = client.open_channel(
      params_of({{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}, {"head_timeout", "50ms"}}));
  CHECK(http_status([&] { body.read_all(part::std_out, kWaitLimit); }) == 408);
  const ksr::channel quiet = client.open_channel(params_of(of_pod("portforward", {{"port", "80"}})));
  CHECK(quiet.try_read(part::data, &byte, 1, std::chrono::milliseconds(1)).not_yet);
  CHECK(http_status([&] { quiet.read(part::data, &byte, 1, std::chrono::milliseconds(1)); }) == 0);
}

TEST_CASE("a WebSocket: whole messages of any size, and text that is no UTF-8") {
  ChannelServer on;
  const ksr::client client(client_on(on.server));
  on.server.script(
      "stream proxy web text=hello text=a\xff\xed\xa0\x80 fragment=abcdef out-bytes=20000 close=4321:enough\xff");
  ksr::channel channel = client.open_channel(websocket());
  CHECK(channel.read_message(part::text, kWaitLimit) == "hello");
  // As it came, though RFC 6455 would have it be UTF-8.
  CHECK(channel.read_message(part::text, kWaitLimit) == "a\xff\xed\xa0\x80");
  CHECK(channel.read_message(part::binary, kWaitLimit) == "abcdef");
  char small[3];
  const ksr::io_result large = channel.try_read(part::binary, small, sizeof small, kWaitLimit);
  CHECK(large.code == status::too_large);
  CHECK(large.size > sizeof small);
  const std::optional<std::string> whole = channel.read_message(part::binary, kWaitLimit);
  REQUIRE(whole);
  CHECK(whole->size() == large.size);
  CHECK(channel.try_write(part::text, "\xff").code == status::invalid);
  static_cast<void>(channel.try_wait(kWaitLimit));
  CHECK(channel.info("close_code") == "4321");
  CHECK(channel.info("close_reason") == "enough?");
}

TEST_CASE("what callbacks of channels throw, and what they close") {
  ChannelServer on;
  ksr::client client(client_on(on.server));
  Told told;
  on.server.script("stream exec web out=hello wait-bytes=1 exit=0");
  ksr::params params = command({{"stdin", "true"}});
  params.on_data([](ksr::channel_ref, part, std::string_view) -> std::size_t { throw std::logic_error("on purpose"); });
  params.on_event([&](ksr::channel_ref, const ksr::event& event) {
    if (event.kind == ksr::event_kind::closed) told.say("closed");
  });
  {
    ksr::channel channel = client.open_channel(params);
    CHECK(told.wait_for("closed"));
    CHECK_THROWS_WITH_AS(channel.wait(), "on purpose", std::logic_error);
    CHECK(status_of([&] { channel.wait(); }) == status::cancelled);
    channel.close();
  }
  // It has taken nothing, so that all of it comes again.
  std::string came;
  int times = 0;
  params.on_data([&](ksr::channel_ref, part, std::string_view bytes) -> std::size_t {
    if (times++ == 0) throw std::logic_error("on purpose");
    came += bytes;
    told.say("data");
    return bytes.size();
  });
  params.on_exception([&](const std::exception_ptr& thrown, std::string_view callback) {
    told.say(std::string(callback) + ": " + text_of(thrown));
  });
  {
    ksr::channel channel = client.open_channel(params);
    CHECK(told.wait_for("on_data: on purpose"));
    channel.resume(part::std_out);
    CHECK(told.wait_for("data"));
    channel.write_all(part::data, "x");
    CHECK(channel.wait(kWaitLimit) == 0);
    CHECK(came == "hello");
  }
  // Closed inside its own callback.
  std::mutex mutex;
  std::optional<ksr::channel> channel;
  params.on_data([&](ksr::channel_ref named, part, std::string_view bytes) {
    const std::lock_guard<std::mutex> lock(mutex);
    CHECK(named == *channel);
    CHECK(channel->try_close() == status::would_deadlock);
    channel.reset();
    return bytes.size();
  });
  params.on_destroy([&] { told.say("destroyed"); });
  {
    const std::lock_guard<std::mutex> lock(mutex);
    channel.emplace(client.open_channel(params));
  }
  CHECK(told.wait_for("destroyed"));
  client.close();
  CHECK(told.count("destroyed") == 1);
}

// What a host of channels may rely on, by on_data and by ksr_channel_read, and what misuse of them answers. Each case
// fails when its rule is broken.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/cases/on_server.hpp"
#include "support/requester.hpp"

using namespace ksr::testing;
using ksr::testserver::ApiServer;

namespace {

constexpr std::int64_t kLongMs = 20'000;

Settings connection(const ApiServer& server) {
  return {{"server", server.url()}, {"token", kTestToken}};
}

// One channel, and what it was told of.
class Channel {
 public:
  using DuringData = std::function<std::size_t(ksr_channel*, std::int32_t, const std::string&)>;
  using DuringEvent = std::function<void(std::int32_t)>;

  // Reads, and is told of events.
  Channel(ksr_client* client, const Settings& settings, DuringEvent during = nullptr)
      : during_event_(std::move(during)) {
    open(client, settings, false, true);
  }
  // Reads, or has on_data.
  Channel(ksr_client* client, const Settings& settings, bool pushes, bool listens, DuringData during = nullptr)
      : during_data_(std::move(during)) {
    open(client, settings, pushes, listens);
  }
  ~Channel() {
    const ksr_status closed = ksr_channel_close(handle);
    CHECK((closed == KSR_OK || closed == KSR_E_INVALID));
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  bool wait(const std::function<bool()>& condition) {
    std::unique_lock<std::mutex> lock(mutex);
    return changed.wait_for(lock, std::chrono::milliseconds(kLongMs), condition);
  }
  bool saw(std::int32_t event) {
    return wait([&] { return std::find(events.begin(), events.end(), event) != events.end(); });
  }
  // What is there, or the status.
  std::string read(std::int32_t part, std::int64_t timeout_ms) {
    char bytes[4096];
    std::size_t got = 0;
    const ksr_status status = ksr_channel_read(handle, part, bytes, sizeof bytes, timeout_ms, &got);
    if (status != KSR_OK) return ksr_status_name(status);
    return got == 0 ? "the end" : std::string(bytes, got);
  }
  std::uint64_t stat(const char* name) {
    std::uint64_t value = 0;
    CHECK(ksr_channel_stat(handle, name, &value) == KSR_OK);
    return value;
  }

  ksr_channel* handle = nullptr;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::int32_t> events;
  std::string data;
  std::string offered;

 private:
  void open(ksr_client* client, const Settings& settings, bool pushes, bool listens) {
    const Params params(settings);
    if (pushes) ksr_params_on_data(params.get(), on_data);
    if (listens) ksr_params_on_event(params.get(), on_event);
    REQUIRE(ksr_channel_open(client, params.get(), this, nullptr, &handle, nullptr) == KSR_OK);
  }
  static std::size_t on_data(ksr_channel* channel, std::int32_t part, const void* bytes, std::size_t size, void* self) {
    Channel& own = *static_cast<Channel*>(self);
    const std::string piece(static_cast<const char*>(bytes), size);
    const std::size_t taken = own.during_data_ ? own.during_data_(channel, part, piece) : size;
    const std::lock_guard<std::mutex> lock(own.mutex);
    own.offered += piece;
    if (taken > 0)
      own.data += (part >= KSR_PART_TEXT ? std::to_string(part) : "") + piece.substr(0, taken) +
                  (part >= KSR_PART_TEXT ? " " : "");
    own.changed.notify_all();
    return taken;
  }
  static void on_event(ksr_channel*, std::int32_t event, std::int32_t, const ksr_error*, void* self) {
    Channel& own = *static_cast<Channel*>(self);
    {
      const std::lock_guard<std::mutex> lock(own.mutex);
      own.events.push_back(event);
      own.changed.notify_all();
    }
    if (own.during_event_) own.during_event_(event);
  }

  const DuringData during_data_;
  const DuringEvent during_event_;
};

Settings exec_in(const std::string& pod = "web") {
  return {{"kind", "exec"}, {"namespace", "default"}, {"name", pod}, {"command", "ls"}};
}

Settings log_of(bool follow) {
  return {{"kind", "log"}, {"namespace", "default"}, {"name", "web"}, {"follow", follow ? "true" : "false"}};
}

}  // namespace

TEST_CASE("without on_data: what lies behind a gap is read once the gap has been told") {
  ApiServer server(with_token());
  server.script("create pods web\nlog web line=old");
  const Requester requester(connection(server));
  std::mutex gate;
  Channel log(requester.client(), log_of(true), [&](std::int32_t event) {
    if (event == KSR_EVENT_GAP) const std::lock_guard<std::mutex> passes(gate);
  });
  CHECK(log.read(KSR_PART_STDOUT, kLongMs) == "old\n");
  {
    const std::lock_guard<std::mutex> shut(gate);
    server.script("log web rotate\nlog web cut\nlog web rotate line=far");
    REQUIRE(log.saw(KSR_EVENT_GAP));
    CHECK(log.read(KSR_PART_STDOUT, 0) == "KSR_E_TIMEOUT");
    CHECK(log.read(KSR_PART_STDOUT, 20) == "KSR_E_TIMEOUT");
  }
  CHECK(log.read(KSR_PART_STDOUT, kLongMs) == "far\n");
}

TEST_CASE("a KSR_E_TIMEOUT is how the channel has ended where end_known is 1 and the read is repeated") {
  ApiServer server(with_token());
  server.script("create pods web\nstream proxy web text=here no-pong\nfault get pods stall bytes=0");
  const Requester requester(connection(server));
  const Settings socket{{"kind", "websocket"},
                        {"path", "/api/v1/namespaces/default/pods/web/proxy"},
                        {"ping_interval", "100ms"},
                        {"pong_timeout", "100ms"}};
  for (const bool listens : {true, false}) {
    Channel silent(requester.client(), socket, false, listens);
    CHECK(ksr_channel_wait(silent.handle, kLongMs, nullptr, nullptr) == KSR_E_TIMEOUT);
    CHECK(silent.stat("end_known") == 1);
    CHECK(silent.read(KSR_PART_BINARY, 0) == "KSR_E_TIMEOUT");
    CHECK(silent.read(KSR_PART_TEXT, 0) == "here");
    for (const std::int64_t timeout_ms : {std::int64_t{0}, kLongMs, std::int64_t{-1}}) {
      CHECK(silent.read(KSR_PART_TEXT, timeout_ms) == "KSR_E_TIMEOUT");
      std::size_t taken = 1;
      CHECK(ksr_channel_write(silent.handle, KSR_PART_TEXT, "x", 1, timeout_ms, &taken) == KSR_E_TIMEOUT);
      CHECK(taken == 0);
    }
  }
  const Settings body{{"kind", "http"}, {"path", "/api/v1/namespaces/default/pods/web"}, {"head_timeout", "50ms"}};
  Channel unanswered(requester.client(), body, false, false);
  CHECK(unanswered.read(KSR_PART_STDOUT, -1) == "KSR_E_TIMEOUT");
  CHECK(unanswered.stat("end_known") == 1);
}

TEST_CASE(
    "delivery=manual: a read stops before a gap that is not dispatched yet, and a wait without limit does not hang") {
  ApiServer server(with_token());
  server.script("create pods web\nlog web line=old");
  Settings settings = connection(server);
  settings.emplace_back("delivery", "manual");
  const Requester requester(settings);
  Channel log(requester.client(), log_of(true));
  CHECK(log.read(KSR_PART_STDOUT, kLongMs) == "old\n");
  server.script("log web rotate\nlog web cut\nlog web rotate line=far");
  for (int tries = 0; log.stat("gaps") == 0 && tries < 2'000; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(log.read(KSR_PART_STDOUT, kLongMs) == "KSR_E_TIMEOUT");
  CHECK(dispatch_until(requester.client(),
                       [&] { return std::count(log.events.begin(), log.events.end(), KSR_EVENT_GAP) == 1; }));
  CHECK(log.read(KSR_PART_STDOUT, kLongMs) == "far\n");
  server.script("log web rotate\nlog web cut\nlog web rotate line=farther");
  CHECK(log.read(KSR_PART_STDOUT, -1) == "farther\n");
}

TEST_CASE("a part of a stream that is cut does not end in order for a reader, however it looks") {
  ApiServer server(with_token());
  const Requester requester(connection(server));
  server.script(
      "create pods web\nstream exec web out=half cut\nstream portforward web out=half err=refused close=1000");
  for (int round = 0; round < 30; ++round) {
    Channel run(requester.client(), exec_in(), false, round % 2 == 0);
    CHECK(run.read(KSR_PART_STDOUT, kLongMs) == "half");
    CHECK(run.read(KSR_PART_STDOUT, kLongMs) == "KSR_E_LOST");
    CHECK(run.read(KSR_PART_STDERR, kLongMs) == "KSR_E_LOST");
    Channel port(requester.client(),
                 {{"kind", "portforward"}, {"namespace", "default"}, {"name", "web"}, {"port", "80"}}, false, true);
    CHECK(port.read(KSR_PART_DATA, kLongMs) == "half");
    CHECK(port.read(KSR_PART_DATA, kLongMs) == "KSR_E_TRANSPORT");
  }
}

TEST_CASE("texts and binary messages of a WebSocket come in their order") {
  ApiServer server(with_token());
  server.script(
      "create pods web\nstream proxy web text=a binary=b binary=c text=d text=e binary=f sleep=50ms close=1000");
  const Requester requester(connection(server));
  const Settings socket{{"kind", "websocket"}, {"path", "/api/v1/namespaces/default/pods/web/proxy"}};
  {
    Channel pushed(requester.client(), socket, true, true);
    REQUIRE(pushed.saw(KSR_EVENT_CLOSED));
    CHECK(pushed.data == "16a 17b 17c 16d 16e 17f ");
  }
  Channel pulled(requester.client(), socket);
  CHECK(ksr_channel_wait(pulled.handle, kLongMs, nullptr, nullptr) == KSR_OK);
  std::string order;
  while (const auto part = static_cast<std::int32_t>(pulled.stat("next_part"))) {
    order += std::to_string(part) + pulled.read(part, 0) + " ";
  }
  CHECK(order == "16a 17b 17c 16d 16e 17f ");
  CHECK(pulled.read(KSR_PART_TEXT, 0) == "the end");
}

TEST_CASE("a message that on_data does not take is followed by none, until it is resumed") {
  ApiServer server(with_token());
  server.script("create pods web\nstream proxy web text=a binary=b close=1000");
  const Requester requester(connection(server));
  std::atomic<bool> takes{false};
  const Settings path{{"kind", "websocket"}, {"path", "/api/v1/namespaces/default/pods/web/proxy"}};
  Channel socket(requester.client(), path, true, true, [&](ksr_channel*, std::int32_t, const std::string& piece) {
    return takes ? piece.size() : std::size_t{0};
  });
  REQUIRE(socket.wait([&] { return !socket.offered.empty(); }));
  CHECK(socket.data == "");
  takes = true;
  CHECK(ksr_channel_resume(socket.handle, KSR_PART_TEXT) == KSR_OK);
  REQUIRE(socket.saw(KSR_EVENT_CLOSED));
  CHECK(socket.data == "16a 17b ");
}

TEST_CASE("close inside on_data would wait for itself; close_async and cancel do not") {
  ApiServer server(with_token());
  server.script("create pods web\nstream exec web out=hello exit=0");
  const Requester requester(connection(server));
  std::atomic<int> first{0};
  std::atomic<int> within{0};
  Channel run(requester.client(), exec_in(), true, true,
              [&](ksr_channel* channel, std::int32_t, const std::string& piece) {
                first = ksr_channel_close(channel);
                std::size_t got = 0;
                within = ksr_channel_read(channel, KSR_PART_STDERR, nullptr, 0, 0, &got);
                return piece.size();
              });
  REQUIRE(run.saw(KSR_EVENT_CLOSED));
  CHECK(first == KSR_E_WOULD_DEADLOCK);
  CHECK(within == KSR_E_INVALID);
  std::int32_t code = -1;
  CHECK(ksr_channel_wait(run.handle, -1, &code, nullptr) == KSR_OK);
  CHECK(code == 0);
}

TEST_CASE("bad input of the channel functions: a defined status each") {
  ApiServer server(with_token());
  server.script("create pods web\nstream exec web out=hello exit=0");
  const Requester requester(connection(server));
  Channel run(requester.client(), exec_in());
  std::size_t count = 7;
  char bytes[8];
  CHECK(ksr_channel_read(run.handle, KSR_PART_STDOUT, bytes, 0, -1, &count) == KSR_OK);
  CHECK(count == 0);
  CHECK(ksr_channel_read(run.handle, KSR_PART_STDOUT, nullptr, 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_read(run.handle, KSR_PART_STDOUT, bytes, 1, 0, nullptr) == KSR_E_INVALID);
  CHECK(ksr_channel_read(run.handle, 99, bytes, 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_read(run.handle, -1, bytes, 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_write(run.handle, KSR_PART_STDIN, "x", 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_write(run.handle, KSR_PART_STDOUT, "x", 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_write(run.handle, KSR_PART_STDIN, nullptr, 1, 0, &count) == KSR_E_INVALID);
  CHECK(ksr_channel_finish(run.handle, KSR_PART_STDIN) == KSR_E_INVALID);
  CHECK(ksr_channel_finish(run.handle, 5) == KSR_E_INVALID);
  CHECK(ksr_channel_resume(run.handle, 5) == KSR_E_INVALID);
  CHECK(ksr_channel_resize(run.handle, 80, 24) == KSR_E_INVALID);
  std::uint64_t value = 0;
  CHECK(ksr_channel_stat(run.handle, "colour", &value) == KSR_E_UNKNOWN_KEY);
  CHECK(ksr_channel_stat(run.handle, nullptr, &value) == KSR_E_INVALID);
  CHECK(ksr_channel_info(run.handle, "colour", bytes, sizeof bytes) == 0);
  CHECK(ksr_channel_info(run.handle, nullptr, bytes, sizeof bytes) == 0);
  CHECK(ksr_channel_wait(run.handle, kLongMs, nullptr, nullptr) == KSR_OK);
  CHECK(ksr_channel_info(run.handle, "protocol", bytes, 3) == std::string("v4.channel.k8s.io").size());
  CHECK(std::string(bytes) == "v4");
  CHECK(ksr_channel_close(run.handle) == KSR_OK);
  for (ksr_channel* const none : {run.handle, static_cast<ksr_channel*>(nullptr)}) {
    CHECK(ksr_channel_read(none, KSR_PART_STDOUT, bytes, 1, -1, &count) == KSR_E_INVALID);
    CHECK(ksr_channel_write(none, KSR_PART_STDIN, "x", 1, -1, &count) == KSR_E_INVALID);
    CHECK(ksr_channel_finish(none, 0) == KSR_E_INVALID);
    CHECK(ksr_channel_resume(none, 0) == KSR_E_INVALID);
    CHECK(ksr_channel_resize(none, 1, 1) == KSR_E_INVALID);
    CHECK(ksr_channel_wait(none, -1, nullptr, nullptr) == KSR_E_INVALID);
    CHECK(ksr_channel_stat(none, "state", &value) == KSR_E_INVALID);
    CHECK(ksr_channel_info(none, "cursor", bytes, sizeof bytes) == 0);
    ksr_channel_cancel(none);
    ksr_channel_close_async(none);
  }
}

// What channels over a WebSocket send of their own: empty messages in silence, resizes before what waits; over a
// network and a clock that do what the test says.
#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "channel/channel_call.hpp"
#include "support/fixed_random.hpp"
#include "unit/channel/idle_host.hpp"
#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::channel;

namespace {

// What the transport queues, unless it is one message.
constexpr std::size_t kMaxQueued = std::size_t{1} << 20;
constexpr Milliseconds kHalfAnHour{std::chrono::minutes(30)};

using ksr::testing::FixedRandom;

// A WebSocket that opens at once; what is sent is written when the test says so.
class FakeWebSocket final : public transport::Connection {
 public:
  explicit FakeWebSocket(cluster::testing::FakeExecutor& on) : executor(on) {}

  std::unique_ptr<transport::Exchange> send(transport::Request, transport::ExchangeObserver&) override {
    return std::make_unique<Exchange>(*this);
  }
  std::unique_ptr<transport::Exchange> open_websocket(transport::Request request,
                                                      transport::ExchangeObserver& observer) override {
    open = &observer;
    transport::ResponseHead head;
    head.status = 101;
    head.headers = {{"sec-websocket-protocol", request.subprotocol}};
    at = &observer;
    executor.post([head, &observer] { observer.on_head(head); });
    return std::make_unique<Exchange>(*this);
  }
  void write_one() {
    const auto written = std::move(waiting.front().written);
    waiting.pop_front();
    executor.post(written);
    executor.run();
  }
  void write_all() {
    while (!waiting.empty()) write_one();
  }
  // Ends it. The oldest message that waits had begun, unless it was held up, as by a ping.
  void cut(bool held_up) {
    unsent = waiting.size() - (held_up || waiting.empty() ? 0 : 1);
    waiting.clear();
    executor.post([this] { open->on_end(Error{Status::transport, "cut"}); });
    executor.run();
  }
  std::vector<std::string> take() { return std::exchange(sent, {}); }

  cluster::testing::FakeExecutor& executor;
  std::vector<std::string> sent;
  transport::ExchangeObserver* at = nullptr;
  struct Queued {
    std::size_t size;
    std::function<void()> written;
  };
  std::deque<Queued> waiting;
  transport::ExchangeObserver* open = nullptr;
  std::size_t unsent = 0;

 private:
  class Exchange final : public transport::Exchange {
   public:
    explicit Exchange(FakeWebSocket& on) : on_(on) {}
    std::size_t unsent() const noexcept override { return on_.unsent; }
    transport::SendStatus send(std::string_view message, transport::MessageType,
                               std::function<void()>&& written) override {
      std::size_t queued = 0;
      for (const Queued& one : on_.waiting) queued += one.size;
      if (queued > 0 && queued + message.size() > kMaxQueued) return transport::SendStatus::full;
      on_.sent.emplace_back(message);
      on_.waiting.push_back({message.size(), std::move(written)});
      return transport::SendStatus::queued;
    }

   private:
    FakeWebSocket& on_;
  };
};

class FakeAccess final : public cluster::Access {
 public:
  explicit FakeAccess(std::shared_ptr<FakeWebSocket> connection) : connection_(std::move(connection)) {}

  PendingCall authenticate(cluster::Purpose, cluster::AuthReady ready) override {
    connection_->executor.post([this, ready = std::move(ready)] {
      cluster::RequestAuth auth;
      auth.connection = connection_;
      ready(std::move(auth));
    });
    return {};
  }
  bool reject_credentials() override { return true; }
  PendingCall resolve(const cluster::QueryOptions&, cluster::ResourcesReady) override { return {}; }
  const std::string& server() const noexcept override { return server_; }
  void on_response_head(const transport::ResponseHead&) override {}
  std::uint64_t reloads() const noexcept override { return 0; }
  std::shared_ptr<const Secrets> secrets() const override { return secrets_; }
  void add_logger(std::weak_ptr<Logger>) override {}

 private:
  const std::shared_ptr<FakeWebSocket> connection_;
  const std::string server_ = "https://api";
  const std::shared_ptr<const Secrets> secrets_ = [] {
    auto secrets = std::make_shared<Secrets>();
    secrets->add("hunter2-hunter2");
    return secrets;
  }();
};

class FakeHost final : public channel::testing::IdleHost {
 public:
  std::optional<Outgoing> take_outgoing() override {
    if (outgoing.empty()) return std::nullopt;
    Outgoing next{kPartStdin, outgoing.front(), false};
    outgoing.pop_front();
    return next;
  }
  void release_outgoing(std::size_t bytes) override { released += bytes; }
  void set_info(const char* name, std::string value) override { info[name] = std::move(value); }
  void on_end(Ending with) override { ending = std::move(with); }

  std::deque<std::string> outgoing;
  std::size_t released = 0;
  std::map<std::string, std::string> info;
  std::optional<Ending> ending;
};

struct Channel {
  explicit Channel(const ChannelOptions& options) {
    ChannelTarget target;
    target.name_space = "default";
    target.name = "web";
    call = make_channel_call({executor, std::make_shared<FixedRandom>(), std::make_shared<FakeAccess>(socket),
                              std::make_shared<ChannelCounts>(), std::make_shared<ServerProtocols>(), host},
                             options, target);
    on_thread([](ChannelCall& channel) { channel.start(); });
  }
  ~Channel() {
    on_thread([](ChannelCall& channel) { channel.cancel(); });
    executor.post([this] { call.reset(); });
    executor.advance(Milliseconds(10'000));
  }
  void on_thread(std::function<void(ChannelCall&)> step) {
    executor.post([this, step = std::move(step)] { step(*call); });
    executor.run();
  }
  void message(const std::string& bytes) {
    executor.post([this, bytes] {
      socket->at->on_body(bytes);
      socket->at->on_message_end(transport::MessageType::binary);
    });
    executor.run();
  }
  void close(int code, const std::string& reason) {
    executor.post([this, code, reason] {
      socket->at->on_close(code, reason);
      socket->at->on_end(std::nullopt);
    });
    executor.run();
  }

  cluster::testing::FakeExecutor executor;
  std::shared_ptr<FakeWebSocket> socket = std::make_shared<FakeWebSocket>(executor);
  std::shared_ptr<FakeHost> host = std::make_shared<FakeHost>();
  std::shared_ptr<ChannelCall> call;
};

ChannelOptions terminal() {
  ChannelOptions options;
  options.kind = ChannelKind::exec;
  options.container = "main";
  options.command = {"sh"};
  options.wants_stdin = true;
  options.tty = true;
  return options;
}

ChannelOptions raw_websocket() {
  ChannelOptions options;
  options.kind = ChannelKind::websocket;
  return options;
}

using Sent = std::vector<std::string>;
// An empty message on the channel of stdin.
const std::string kEmpty(1, '\0');

}  // namespace

TEST_CASE("after half an hour in which nothing was sent an empty message is, and again") {
  ChannelOptions options;
  SUBCASE("exec") {
    options = terminal();
  }
  SUBCASE("attach") {
    options = terminal();
    options.kind = ChannelKind::attach;
  }
  SUBCASE("portforward") {
    options.kind = ChannelKind::portforward;
    options.port = 80;
  }
  Channel channel(options);
  CHECK(channel.socket->take().empty());
  channel.executor.advance(kHalfAnHour - Milliseconds(1));
  CHECK(channel.socket->sent.empty());
  channel.executor.advance(Milliseconds(1));
  CHECK(channel.socket->take() == Sent{kEmpty});
  channel.socket->write_all();
  channel.executor.advance(kHalfAnHour);
  CHECK(channel.socket->take() == Sent{kEmpty});
}

TEST_CASE("what was sent counts for half an hour, and a server that does not read gets nothing more") {
  Channel channel(terminal());
  channel.executor.advance(Milliseconds(std::chrono::minutes(20)));
  channel.host->outgoing = {"typed"};
  channel.on_thread([](ChannelCall& call) { call.send_waiting(); });
  CHECK(channel.socket->take() == Sent{kEmpty + "typed"});
  // Not written yet.
  channel.executor.advance(Milliseconds(std::chrono::hours(2)));
  CHECK(channel.socket->take().empty());
  channel.socket->write_all();
  // At the next look.
  channel.executor.advance(kHalfAnHour);
  CHECK(channel.socket->take() == Sent{kEmpty});
}

TEST_CASE("a command without stdin is sent nothing: no stream would take it") {
  ChannelOptions options = terminal();
  options.tty = false;
  options.wants_stdin = false;
  Channel channel(options);
  channel.executor.advance(Milliseconds(std::chrono::hours(8)));
  CHECK(channel.socket->sent.empty());
}

TEST_CASE("a resize goes before the standard input that waits, and only the newest one") {
  Channel channel(terminal());
  for (int i = 0; i < 6; ++i) channel.host->outgoing.push_back(std::to_string(i));
  channel.on_thread([](ChannelCall& call) { call.send_waiting(); });
  // What the transport has been given is on its way.
  CHECK(channel.socket->take() == Sent{kEmpty + "0"});
  channel.on_thread([](ChannelCall& call) { call.resize(80, 24); });
  channel.on_thread([](ChannelCall& call) { call.resize(132, 43); });
  CHECK(channel.socket->take().empty());
  channel.socket->write_one();
  CHECK(channel.host->released == 1);
  CHECK(channel.socket->take() == Sent{std::string("\x04") + R"({"Width":132,"Height":43})"});
  channel.socket->write_all();
  CHECK(channel.socket->take() == Sent{kEmpty + "1", kEmpty + "2", kEmpty + "3", kEmpty + "4", kEmpty + "5"});
  CHECK(channel.host->released == 6);
}

TEST_CASE("every message is sent, also those that the transport does not queue together") {
  Channel channel(raw_websocket());
  Sent messages;
  for (char c = 'a'; c < 'g'; ++c) messages.emplace_back(700'000, c);
  channel.host->outgoing.assign(messages.begin(), messages.end());
  channel.on_thread([](ChannelCall& call) { call.send_waiting(); });
  channel.socket->write_all();
  CHECK((channel.socket->take() == messages));
  CHECK(channel.host->released == 6 * 700'000);
}

TEST_CASE("reconnect: a message that had begun is not repeated, one that had not is sent over the next WebSocket") {
  ChannelOptions options = raw_websocket();
  options.reconnect = true;
  Channel channel(options);
  channel.host->outgoing = {"one", "two", "three"};
  channel.on_thread([](ChannelCall& call) { call.send_waiting(); });
  channel.socket->write_one();
  CHECK(channel.socket->take() == Sent{"one", "two"});
  SUBCASE("begun") {
    channel.socket->cut(false);
    CHECK(channel.host->released == 6);
    channel.executor.advance(options.reconnect_delay);
    CHECK(channel.socket->take() == Sent{"three"});
  }
  SUBCASE("not begun") {
    channel.socket->cut(true);
    CHECK(channel.host->released == 3);
    channel.executor.advance(options.reconnect_delay);
    CHECK(channel.socket->take() == Sent{"two"});
    channel.socket->write_all();
    CHECK(channel.socket->take() == Sent{"three"});
  }
}

TEST_CASE("a port that the server has not opened is no connection that ended in order") {
  const std::string head("\x50\0", 2);
  const std::string data("\0", 1);
  const std::string error("\1", 1);
  ChannelOptions options;
  options.kind = ChannelKind::portforward;
  options.port = 80;
  for (const std::vector<std::string>& messages :
       {std::vector<std::string>{}, {""}, {data + head}, {error + head}, {data + "\x50", error + head}}) {
    CAPTURE(messages.size());
    Channel channel(options);
    for (const std::string& message : messages) channel.message(message);
    channel.close(1000, "");
    REQUIRE(channel.host->ending);
    REQUIRE(channel.host->ending->error);
    CHECK(channel.host->ending->error->status == Status::lost);
  }
  Channel channel(options);
  channel.message(data + head);
  channel.message(error + head);
  channel.close(1000, "");
  REQUIRE(channel.host->ending);
  CHECK_FALSE(channel.host->ending->error);
}

TEST_CASE("a secret that the server repeats as its reason to close is blanked") {
  ChannelOptions options;
  options.kind = ChannelKind::websocket;
  Channel channel(options);
  channel.close(1000, "no such token: hunter2-hunter2");
  CHECK(channel.host->info["close_code"] == "1000");
  CHECK(channel.host->info["close_reason"] == "no such token: ***");
}

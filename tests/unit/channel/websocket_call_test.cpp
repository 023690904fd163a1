// What channels over a WebSocket send of their own: empty messages in silence, resizes before what waits. What is tried
// again of an opening that was refused, of kind=http too, and what is known of it then. Over a network and a clock that
// do what the test says.
#include <doctest/doctest.h>

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
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

// What a server says to a request or a handshake.
struct Answered {
  int status = 0;  // 0: nothing
  std::string body = {};
  std::string retry_after = {};
};

constexpr const char* kStatus503 = R"({"kind":"Status","status":"Failure","message":"try again","code":503})";
constexpr const char* kGateway = "upstream connect error or disconnect/reset before headers";

// A WebSocket that opens at once, unless an answer is waiting; what is sent is written when the test says so. HTTP is
// answered only so.
class FakeWebSocket final : public transport::Connection {
 public:
  explicit FakeWebSocket(cluster::testing::FakeExecutor& on) : executor(on) {}

  std::unique_ptr<transport::Exchange> send(transport::Request, transport::ExchangeObserver& observer) override {
    ++tries;
    if (!answers.empty()) answer(observer);
    return std::make_unique<Exchange>(*this);
  }
  std::unique_ptr<transport::Exchange> open_websocket(transport::Request request,
                                                      transport::ExchangeObserver& observer) override {
    ++tries;
    if (!answers.empty()) {
      answer(observer);
      return std::make_unique<Exchange>(*this);
    }
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

  // To the next tries, the last one to all that follow.
  std::deque<Answered> answers;
  // A connection is ready.
  bool reached = true;
  int tries = 0;
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
    bool is_sent() const noexcept override { return on_.reached; }
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

  void answer(transport::ExchangeObserver& observer) {
    const Answered with = answers.front();
    if (answers.size() > 1) answers.pop_front();
    executor.post([&observer, with, reached = reached] {
      Error cut{Status::transport, "cut", "", 502};
      cut.maybe_done = reached;
      if (with.status == 0) return observer.on_end(cut);
      transport::ResponseHead head;
      head.status = with.status;
      head.content_type = "text/plain";
      head.retry_after = with.retry_after;
      observer.on_head(head);
      if (!with.body.empty()) observer.on_body(with.body);
      observer.on_end(std::nullopt);
    });
  }
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
  PendingCall resolve_again(const cluster::QueryOptions&, cluster::ResourcesReady) override { return {}; }
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
  bool on_bytes(int, std::string_view bytes) override {
    text += bytes;
    return takes;
  }
  bool on_message(int, std::string) override { return takes; }
  void set_info(const char* name, std::string value) override { info[name] = std::move(value); }
  void on_end(Ending with) override { ending = std::move(with); }

  std::deque<std::string> outgoing;
  bool takes = true;
  std::string text;
  std::size_t released = 0;
  std::map<std::string, std::string> info;
  std::optional<Ending> ending;
};

ChannelTarget pod_web() {
  ChannelTarget target;
  target.name_space = "default";
  target.name = "web";
  return target;
}

struct Channel {
  explicit Channel(const ChannelOptions& options, const std::deque<Answered>& answers = {}, bool reached = true,
                   const ChannelTarget& target = pod_web()) {
    socket->answers = answers;
    socket->reached = reached;
    call = make_channel_call({executor, std::make_shared<FixedRandom>(), std::make_shared<FakeAccess>(socket), counts,
                              std::make_shared<ServerProtocols>(), host},
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
  std::shared_ptr<ChannelCounts> counts = std::make_shared<ChannelCounts>();
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

std::vector<ChannelOptions> all_over_a_websocket() {
  std::vector<ChannelOptions> all(4, terminal());
  all[1].kind = ChannelKind::attach;
  all[2].kind = ChannelKind::portforward;
  all[2].port = 80;
  all[3].kind = ChannelKind::websocket;
  return all;
}

ChannelOptions http(sync::Retries retries) {
  ChannelOptions options;
  options.kind = ChannelKind::http;
  options.retries = retries;
  return options;
}

ChannelTarget post_of_ten_bytes() {
  ChannelTarget target;
  target.method = "POST";
  target.target = "/things";
  target.body = "0123456789";
  return target;
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

TEST_CASE("what a channel opens is not opened twice: a gateway's answer may come when the command has begun") {
  for (const ChannelOptions& options : all_over_a_websocket()) {
    CAPTURE(static_cast<int>(options.kind));
    for (const Answered& answer :
         {Answered{500, kGateway}, {502, kGateway}, {503, kGateway}, {504, kGateway}, {408, kGateway}, {0}}) {
      CAPTURE(answer.status);
      Channel channel(options, {answer});
      channel.executor.advance(Milliseconds(600'000));
      CHECK(channel.socket->tries == 1);
      REQUIRE(channel.host->ending);
      CHECK(channel.host->ending->error->maybe_done);
      CHECK(channel.host->ending->error->message.find("may have been carried out") != std::string::npos);
      CHECK(channel.call->maybe_done());
    }
    for (const int status : {400, 403, 404, 302}) {
      CAPTURE(status);
      Channel channel(options, {{status, "no"}});
      channel.executor.advance(Milliseconds(600'000));
      CHECK(channel.socket->tries == 1);
      REQUIRE(channel.host->ending);
      CHECK_FALSE(channel.host->ending->error->maybe_done);
      CHECK_FALSE(channel.call->maybe_done());
    }
  }
}

TEST_CASE("what has surely opened nothing is tried again: kube-apiserver's own 503, 429, 401 once, no connection") {
  for (const ChannelOptions& options : all_over_a_websocket()) {
    CAPTURE(static_cast<int>(options.kind));
    for (const Answered& answer : {Answered{503, kStatus503}, {429, "slow down"}, {0}}) {
      CAPTURE(answer.status);
      Channel channel(options, {answer}, answer.status != 0);
      for (int i = 0; i < 10; ++i) channel.executor.advance(Milliseconds(10'000));
      CHECK(channel.socket->tries == 6);
      REQUIRE(channel.host->ending);
      CHECK_FALSE(channel.host->ending->error->maybe_done);
    }
    Channel channel(options, {{401, "expired"}, {401, "expired"}});
    channel.executor.advance(Milliseconds(0));
    CHECK(channel.socket->tries == 2);
    REQUIRE(channel.host->ending);
    CHECK_FALSE(channel.host->ending->error->maybe_done);
  }
}

TEST_CASE("what is cancelled while it is opened, or was open, may have run") {
  for (const ChannelOptions& options : all_over_a_websocket()) {
    Channel channel(options);
    CHECK(channel.call->maybe_done());
    channel.on_thread([](ChannelCall& call) { call.cancel(); });
    CHECK(channel.call->maybe_done());
  }
}

TEST_CASE("an HTTP body: what has become of a request is told as of a request") {
  SUBCASE("a gateway's answer") {
    Channel channel(http(sync::Retries::never), {{504, kGateway}}, true, post_of_ten_bytes());
    REQUIRE(channel.host->ending);
    CHECK(channel.host->ending->error->maybe_done);
    CHECK(channel.host->ending->error->message.find("may have been carried out") != std::string::npos);
  }
  SUBCASE("an earlier try may have been carried out, although the last one was not") {
    Channel channel(http(sync::Retries::all), {{0}, {409, "is there"}}, true, post_of_ten_bytes());
    CHECK(channel.call->maybe_done());
    channel.executor.advance(Milliseconds(800));
    CHECK(channel.socket->tries == 2);
    REQUIRE(channel.host->ending);
    CHECK(channel.host->ending->error->http_status == 409);
    CHECK(channel.host->ending->error->maybe_done);
  }
  SUBCASE("a refusal") {
    Channel channel(http(sync::Retries::never), {{409, "is there"}}, true, post_of_ten_bytes());
    REQUIRE(channel.host->ending);
    CHECK_FALSE(channel.host->ending->error->maybe_done);
    CHECK_FALSE(channel.call->maybe_done());
  }
  SUBCASE("what only reads") {
    ChannelTarget get;
    get.target = "/things";
    Channel channel(http(sync::Retries::never), {{504, kGateway}}, true, get);
    REQUIRE(channel.host->ending);
    CHECK_FALSE(channel.host->ending->error->maybe_done);
  }
}

TEST_CASE("an HTTP body: new credentials once, whatever `retries` is; the 401 is an answer") {
  Channel never(http(sync::Retries::never), {{401}, {200, "x"}}, true, post_of_ten_bytes());
  never.executor.advance(Milliseconds(0));
  CHECK(never.socket->tries == 2);
  REQUIRE(never.host->ending);
  CHECK_FALSE(never.host->ending->error);
  ChannelTarget get;
  get.target = "/things";
  Channel answered(http(sync::Retries::answered), {{401}, {0}, {200, "x"}}, true, get);
  answered.executor.advance(Milliseconds(0));
  CHECK_FALSE(answered.host->ending);
  answered.executor.advance(Milliseconds(800));
  CHECK(answered.socket->tries == 3);
  REQUIRE(answered.host->ending);
  CHECK_FALSE(answered.host->ending->error);
}

TEST_CASE(
    "an HTTP body: its bytes count when they are sent, and an answer is forgotten when the next one is waited for") {
  Channel refused(http(sync::Retries::never), {{0}}, false, post_of_ten_bytes());
  REQUIRE(refused.host->ending);
  CHECK(refused.counts->bytes_sent == 0);
  Channel cut(http(sync::Retries::never), {{0}}, true, post_of_ten_bytes());
  REQUIRE(cut.host->ending);
  CHECK(cut.counts->bytes_sent == 10);
  Channel busy(http(sync::Retries::safe), {{429}, {200, "x"}}, true, post_of_ten_bytes());
  CHECK(busy.counts->bytes_sent == 10);
  CHECK(busy.host->info["http_status"].empty());
  busy.executor.advance(Milliseconds(800));
  CHECK(busy.counts->bytes_sent == 20);
  CHECK(busy.host->info["http_status"] == "200");
}

TEST_CASE("reconnect: a Retry-After is kept, and is no shorter wait than reconnect_delay") {
  ChannelOptions options = raw_websocket();
  options.reconnect = true;
  options.reconnect_delay = Milliseconds(200);
  Channel channel(options, {{429, "slow down", "5"}});
  CHECK(channel.socket->tries == 1);
  channel.executor.advance(Milliseconds(4'999));
  CHECK(channel.socket->tries == 1);
  channel.executor.advance(Milliseconds(1));
  CHECK(channel.socket->tries == 2);
  options.reconnect_delay = Milliseconds(7'000);
  Channel patient(options, {{429, "slow down", "5"}});
  patient.executor.advance(Milliseconds(6'999));
  CHECK(patient.socket->tries == 1);
  patient.executor.advance(Milliseconds(1));
  CHECK(patient.socket->tries == 2);
}

TEST_CASE("the time in which the server takes nothing counts while it lasts, up to the end") {
  Channel channel(terminal());
  const auto blocked = [&] { return channel.counts->blocked.total_us(channel.executor.now()); };
  channel.executor.advance(Milliseconds(10));
  CHECK(blocked() == 0);
  channel.host->outgoing = {"typed", "more"};
  channel.on_thread([](ChannelCall& call) { call.send_waiting(); });
  channel.executor.advance(Milliseconds(30));
  CHECK(blocked() == 30'000);
  channel.socket->write_one();
  channel.executor.advance(Milliseconds(5));
  CHECK(blocked() == 35'000);
  channel.socket->write_all();
  channel.executor.advance(Milliseconds(10));
  CHECK(blocked() == 35'000);
  channel.host->outgoing = {"lost"};
  channel.on_thread([](ChannelCall& call) { call.send_waiting(); });
  channel.executor.advance(Milliseconds(1));
  channel.on_thread([](ChannelCall& call) { call.cancel(); });
  channel.executor.advance(Milliseconds(1'000));
  CHECK(blocked() == 36'000);
}

TEST_CASE("the time in which the host takes nothing counts while it lasts, up to the end") {
  Channel channel(raw_websocket());
  const auto stalled = [&] { return channel.counts->stalled.total_us(channel.executor.now()); };
  channel.host->takes = false;
  channel.message("one");
  channel.executor.advance(Milliseconds(20));
  CHECK(stalled() == 20'000);
  channel.on_thread([](ChannelCall& call) { call.resume(); });
  channel.executor.advance(Milliseconds(10));
  CHECK(stalled() == 20'000);
  channel.message("two");
  channel.executor.advance(Milliseconds(5));
  channel.close(1000, "");
  channel.executor.advance(Milliseconds(1'000));
  CHECK(stalled() == 25'000);
}

TEST_CASE("what has lasted never falls, whichever clock is ahead") {
  const Instant start{std::chrono::hours(1)};
  const auto at = [&](int ms) { return start + Milliseconds(ms); };
  Lasting time;
  time.begin(at(0));
  CHECK(time.total_us(at(12)) == 12'000);
  time.end(at(10));
  CHECK(time.total_us(at(13)) == 12'000);
  time.begin(at(20));
  CHECK(time.total_us(at(15)) == 12'000);
  CHECK(time.total_us(at(25)) == 15'000);
  time.begin(at(26));
  time.end(at(27));
  time.end(at(30));
  CHECK(time.total_us(at(40)) == 17'000);
}

TEST_CASE("what has lasted never falls for a reader on another thread, nor exceeds the time that has passed") {
  Lasting time;
  const Instant start = std::chrono::steady_clock::now();
  std::atomic<bool> over{false};
  std::thread writer([&] {
    for (int i = 0; i < 20'000; ++i) {
      const Instant begun = std::chrono::steady_clock::now();
      time.begin(begun);
      while (std::chrono::steady_clock::now() < begun + std::chrono::microseconds(3)) {
      }
      time.end(std::chrono::steady_clock::now());
    }
    over = true;
  });
  std::uint64_t before = 0;
  bool fell = false;
  bool exceeded = false;
  while (!over) {
    const Instant now = std::chrono::steady_clock::now();
    const std::uint64_t total = time.total_us(now);
    fell = fell || total < before;
    exceeded = exceeded || std::chrono::microseconds(total) > std::chrono::steady_clock::now() - start;
    before = total;
  }
  writer.join();
  CHECK_FALSE(fell);
  CHECK_FALSE(exceeded);
}

TEST_CASE("a command whose Status has come is not cut off while the host takes nothing") {
  Channel channel(terminal());
  channel.host->takes = false;
  channel.message("\1one ");
  channel.message("\3{\"status\":\"Success\"}");
  channel.executor.advance(Milliseconds(60'000));
  CHECK_FALSE(channel.host->ending);
  channel.host->takes = true;
  channel.on_thread([](ChannelCall& call) { call.resume(); });
  channel.executor.advance(Milliseconds(1'000));
  channel.message("\1two");
  CHECK_FALSE(channel.host->ending);
  channel.executor.advance(Milliseconds(1'000));
  REQUIRE(channel.host->ending);
  CHECK_FALSE(channel.host->ending->error);
  CHECK(channel.host->text == "one two");
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

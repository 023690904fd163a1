// A page that is requested ahead, on a connection whose every step the test makes.
#include "stream/page_ahead.hpp"

#include <doctest/doctest.h>

#include "unit/cluster/fakes.hpp"

using namespace ksr;
using namespace ksr::stream;

namespace {

// A connection of which one exchange is at hand.
class HandConnection final : public transport::Connection {
 public:
  std::unique_ptr<transport::Exchange> send(transport::Request, transport::ExchangeObserver& observer) override {
    observer_ = &observer;
    return std::make_unique<HandExchange>(*this);
  }
  std::unique_ptr<transport::Exchange> open_websocket(transport::Request, transport::ExchangeObserver&) override {
    return nullptr;
  }
  // NULL: there is none, or it was destroyed.
  transport::ExchangeObserver* observer() const { return observer_; }
  bool paused() const { return paused_; }

 private:
  class HandExchange final : public transport::Exchange {
   public:
    explicit HandExchange(HandConnection& connection) : connection_(connection) {}
    ~HandExchange() override { connection_.observer_ = nullptr; }
    bool is_sent() const noexcept override { return true; }
    void pause() override { connection_.paused_ = true; }
    void resume() override { connection_.paused_ = false; }

   private:
    HandConnection& connection_;
  };

  transport::ExchangeObserver* observer_ = nullptr;
  bool paused_ = false;
};

class HandAccess final : public cluster::Access {
 public:
  explicit HandAccess(Executor& executor) : executor_(executor) {}
  PendingCall authenticate(cluster::Purpose, cluster::AuthReady ready) override {
    const CancellableCallback<void(Expected<cluster::RequestAuth>)> callback(std::move(ready));
    executor_.post([callback, this] {
      if (refusal) return callback(*refusal);
      cluster::RequestAuth auth;
      auth.connection = connection;
      callback(std::move(auth));
    });
    return callback.handle();
  }
  bool reject_credentials() override { return true; }
  PendingCall resolve(const cluster::QueryOptions&, cluster::ResourcesReady) override { return {}; }
  PendingCall resolve_again(const cluster::QueryOptions&, cluster::ResourcesReady) override { return {}; }
  const std::string& server() const noexcept override { return server_; }
  void on_response_head(const transport::ResponseHead&) override {}
  std::uint64_t reloads() const noexcept override { return 0; }
  std::shared_ptr<const Secrets> secrets() const override { return nullptr; }
  void add_logger(std::weak_ptr<Logger>) override {}

  const std::shared_ptr<HandConnection> connection = std::make_shared<HandConnection>();
  std::optional<Error> refusal;

 private:
  Executor& executor_;
  const std::string server_;
};

// Takes the page, and destroys it at a step, as a call that ends does.
struct Taker final : transport::ExchangeObserver {
  bool at(const std::string& step) {
    steps.push_back(step);
    const bool ends = step == destroys_at;
    if (ends) page.reset();
    return ends;
  }
  void on_head(const transport::ResponseHead& head) override { at("head " + std::to_string(head.status)); }
  void on_wire_bytes(std::size_t count) override { at("wire " + std::to_string(count)); }
  void on_body(std::string_view bytes) override {
    const std::string text(bytes);
    at("body");
    CHECK(bytes == text);
    received += text;
  }
  void on_drained() override { at("drained"); }
  void on_end(const std::optional<Error>& error) override {
    at(error ? "failed" : "end");
    if (error) message = error->text();
  }

  std::unique_ptr<PageAhead> page;
  std::string destroys_at;
  std::vector<std::string> steps;
  std::string received;
  std::string message;
};

const Error kBroken{Status::transport, "reading from api:8001: the server closed the connection within the body", "",
                    502};

struct PageSetup {
  ~PageSetup() {
    run([this] { taker.page.reset(); });
  }
  template <class Step>
  void run(Step step) {
    executor.post(step);
    executor.run();
  }
  static transport::Request request() {
    transport::Request request;
    request.target = "/api/v1/pods?limit=2&continue=x";
    return request;
  }
  void ask() {
    run([this] { taker.page = std::make_unique<PageAhead>(executor, access, request()); });
  }
  bool can_serve() { return taker.page->can_serve(request()); }
  void take() {
    run([this] { taker.page->deliver_to(taker); });
  }
  // What was held back comes.
  void release() { executor.advance(Milliseconds(0)); }
  transport::ExchangeObserver& server() {
    REQUIRE(access.connection->observer() != nullptr);
    return *access.connection->observer();
  }
  void head(int status = 200) {
    run([this, status] { server().on_head({status, "application/json", "", {}}); });
  }
  void body(std::string_view bytes) {
    run([this, bytes] {
      server().on_wire_bytes(bytes.size());
      server().on_body(bytes);
    });
  }
  void end(std::optional<Error> error = std::nullopt) {
    run([this, &error] { server().on_end(error); });
  }

  cluster::testing::FakeExecutor executor;
  HandAccess access{executor};
  Taker taker;
};

using Steps = std::vector<std::string>;

}  // namespace

TEST_CASE("a page ahead is held back in the connection, and comes as a whole once it is taken") {
  PageSetup setup;
  setup.ask();
  setup.head();
  CHECK(setup.access.connection->paused());
  setup.body("{\"a\":");
  CHECK(setup.can_serve());
  setup.take();
  CHECK(setup.taker.steps.empty());
  setup.release();
  CHECK(setup.taker.steps == Steps{"head 200", "wire 5", "body", "drained"});
  CHECK_FALSE(setup.access.connection->paused());
  setup.body("1}");
  setup.end();
  CHECK(setup.taker.received == "{\"a\":1}");
  CHECK(setup.taker.steps.back() == "end");
}

TEST_CASE("a page ahead that fails between being taken and being delivered says why to a call that ends with it") {
  PageSetup setup;
  setup.taker.destroys_at = "failed";
  SUBCASE("its connection breaks off") {
    setup.ask();
    SUBCASE("before the head") {}
    SUBCASE("after it") {
      setup.head();
      setup.body("{");
    }
    setup.take();
    setup.end(kBroken);
  }
  SUBCASE("there are no credentials for it") {
    setup.access.refusal = kBroken;
    setup.run([&] {
      setup.taker.page = std::make_unique<PageAhead>(setup.executor, setup.access, PageSetup::request());
      setup.taker.page->deliver_to(setup.taker);
    });
  }
  CHECK(setup.taker.message.empty());
  setup.release();
  CHECK(setup.taker.page == nullptr);
  CHECK(setup.taker.message == kBroken.text());
}

TEST_CASE("a call may end, and destroy the page ahead with it, at every step") {
  for (const char* const step : {"head 200", "body", "drained", "end", "failed"}) {
    for (const bool late : {false, true}) {
      CAPTURE(step);
      CAPTURE(late);
      PageSetup setup;
      setup.taker.destroys_at = step;
      setup.ask();
      const auto answer = [&](const std::function<void()>& part) {
        if (setup.access.connection->observer() != nullptr) part();
      };
      const auto come = [&] {
        answer([&] { setup.head(); });
        answer([&] { setup.run([&] { setup.server().on_wire_bytes(1); }); });
        answer([&] { setup.run([&] { setup.server().on_body("{"); }); });
        answer([&] { setup.run([&] { setup.server().on_drained(); }); });
      };
      if (!late) come();
      setup.take();
      setup.release();
      if (late) come();
      answer([&] { setup.end(std::string(step) == "failed" ? std::optional(kBroken) : std::nullopt); });
      CHECK(setup.taker.page == nullptr);
      CHECK(setup.taker.steps.back() == step);
    }
  }
}

TEST_CASE("a page ahead that has failed or was refused serves nothing, nor does one of another request") {
  PageSetup setup;
  setup.ask();
  transport::Request other = PageSetup::request();
  CHECK(setup.can_serve());
  other.headers.push_back({"Accept", "application/json"});
  CHECK_FALSE(setup.taker.page->can_serve(other));
  SUBCASE("broken off") {
    setup.head();
    setup.end(kBroken);
    CHECK_FALSE(setup.can_serve());
  }
  SUBCASE("refused") {
    setup.head(410);
    CHECK_FALSE(setup.can_serve());
  }
  SUBCASE("refused for now, which is an answer: the request is not repeated before the time that it names") {
    int status = 0;
    SUBCASE("") {
      status = 429;
    }
    SUBCASE("") {
      status = 503;
    }
    SUBCASE("") {
      status = 504;
    }
    setup.head(status);
    CHECK(setup.can_serve());
    setup.take();
    setup.release();
    setup.body("{}");
    setup.end();
    CHECK(setup.taker.steps.front() == "head " + std::to_string(status));
    CHECK(setup.taker.received == "{}");
    CHECK(setup.taker.steps.back() == "end");
  }
  SUBCASE("whole") {
    setup.head();
    setup.body("{}");
    setup.end();
    CHECK(setup.can_serve());
    setup.take();
    setup.release();
    CHECK(setup.taker.steps == Steps{"head 200", "wire 2", "body", "end"});
  }
}

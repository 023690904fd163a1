#include "stream/call.hpp"

#include <doctest/doctest.h>

#include <new>

#include "unit/stream/fixture.hpp"

using namespace ksr;
using namespace ksr::stream;
using namespace ksr::stream::testing;

namespace {

struct CallTestOwner final : CallOwner {
  explicit CallTestOwner(StreamFixture& fixture) : fixture_(fixture) {}
  Executor& executor() const override { return fixture_.world.executor; }
  void count_bytes(std::size_t count) override { bytes += count; }
  void count_wire_bytes(std::size_t) override {}
  void note_encoding(bool) override {}
  void on_next_page(std::string_view) override {}
  void expect(std::string_view) override {}
  void expect_soon(std::string_view) override {}
  void flush() override {}
  void retire(sync::RequestId id) override { retired.push_back(id); }
  void on_lost(const Error& error) override { lost.push_back(error.message); }
  Logger& logger() override { return fixture_.world.logger; }

  std::size_t bytes = 0;
  std::vector<sync::RequestId> retired;
  std::vector<std::string> lost;

 private:
  StreamFixture& fixture_;
};

class RecordingCall final : public Call {
 public:
  explicit RecordingCall(CallOwner& owner) : Call(owner, 7, {"list", "v1/pods", "", "http://api:8001"}) {}

  std::vector<std::string> events;
  std::vector<Error> errors;
  bool throws = false;

 private:
  bool accepts(int http_status) const override { return http_status == 200; }
  void opened() override { events.emplace_back("opened"); }
  void received(std::string_view bytes) override {
    if (throws) throw std::bad_alloc();
    events.push_back("received " + std::string(bytes));
  }
  void message_ended() override {}
  void completed() override {
    if (finish()) events.emplace_back("completed");
  }
  void failed(const Error& error, const std::optional<json::ApiStatus>&) override {
    events.emplace_back("failed");
    errors.push_back(error);
  }
};

struct CallSetup {
  CallSetup() {
    cluster::testing::Reply reply;
    reply.body = "body";
    fixture.world.transport.replies["/x"] = reply;
  }
  void start(bool websocket = false) {
    fixture.run([this, websocket] {
      transport::Request request;
      request.target = "/x";
      call.start(*fixture.access, std::move(request), websocket);
    });
  }

  StreamFixture fixture;
  CallTestOwner owner{fixture};
  RecordingCall call{owner};
};

using Events = std::vector<std::string>;

}  // namespace

TEST_CASE("a success is passed on as it arrives, and the call retires once") {
  CallSetup setup;
  setup.start();
  CHECK(setup.call.events == Events{"opened", "received bo", "received dy", "completed"});
  CHECK(setup.owner.retired == std::vector<sync::RequestId>{7});
  CHECK(setup.owner.bytes == 4);
}

TEST_CASE("a refusal is one error with the context of the call, and its body is not passed on") {
  CallSetup setup;
  setup.fixture.world.transport.replies["/x"] = StreamFixture::refusal(403);
  setup.start();
  CHECK(setup.call.events == Events{"failed"});
  REQUIRE(setup.call.errors.size() == 1);
  CHECK(setup.call.errors[0].status == Status::forbidden);
  REQUIRE(setup.call.errors[0].context);
  CHECK(setup.call.errors[0].context->operation == "list");
  CHECK(setup.call.errors[0].text() ==
        "list of v1/pods at http://api:8001: the server answered 403 Forbidden: refused");
  CHECK(setup.owner.retired == std::vector<sync::RequestId>{7});
}

TEST_CASE("the body of a refusal that drips is given up as a whole, sooner after a handshake") {
  for (const bool websocket : {false, true}) {
    CallSetup setup;
    cluster::testing::Reply reply = StreamFixture::refusal(403);
    reply.goes_on = true;
    transport::ExchangeObserver* observer = nullptr;
    setup.fixture.world.transport.serve = [&](const transport::Request&, transport::ExchangeObserver& asked,
                                              const std::shared_ptr<const bool>& alive) {
      observer = &asked;
      setup.fixture.world.executor.post(
          [&asked, reply, alive] { cluster::testing::FakeTransport::deliver(reply, asked, alive); });
    };
    setup.start(websocket);
    REQUIRE(observer != nullptr);
    for (int i = 0; i < (websocket ? 20 : 50); ++i) {
      CHECK(setup.call.events.empty());
      setup.fixture.run([&] { observer->on_body(" "); });
      setup.fixture.world.executor.advance(Milliseconds(100));
    }
    CHECK(setup.call.events == Events{"failed"});
    CHECK(setup.call.errors.at(0).message.find("refused") != std::string::npos);
  }
}

TEST_CASE("the body of a 2xx or 3xx to a handshake is not read: it may be a watch, without an end") {
  for (const int status : {201, 302}) {
    CallSetup setup;
    cluster::testing::Reply reply = StreamFixture::refusal(status);
    reply.goes_on = true;
    setup.fixture.world.transport.replies["/x"] = reply;
    setup.start(true);
    CHECK(setup.call.events == Events{"failed"});
    CHECK(setup.call.errors.at(0).http_status == status);
    CHECK(setup.owner.bytes == 0);
  }
}

TEST_CASE("an exception while a body is processed is an error of that call only") {
  CallSetup setup;
  setup.call.throws = true;
  setup.start();
  CHECK(setup.call.events == Events{"opened", "failed"});
  REQUIRE(setup.call.errors.size() == 1);
  CHECK(setup.call.errors[0].status == Status::out_of_memory);
  CHECK(setup.owner.lost.empty());
}

TEST_CASE("a call that is stopped receives nothing, whatever is on its way") {
  CallSetup setup;
  setup.fixture.run([&] {
    transport::Request request;
    request.target = "/x";
    setup.call.start(*setup.fixture.access, std::move(request), false);
    setup.call.stop();
  });
  setup.fixture.run([&] { setup.call.on_body("late"); });
  CHECK(setup.call.events.empty());
  CHECK(setup.owner.retired.empty());
}

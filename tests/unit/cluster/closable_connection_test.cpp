// Between a watch and its exchange nothing is lost.
#include "cluster/closable_connection.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace ksr;
using namespace ksr::cluster;

namespace {

using Calls = std::vector<std::string>;

class RecordingExchange final : public transport::Exchange {
 public:
  explicit RecordingExchange(Calls& calls) : calls_(calls) {}
  bool is_sent() const noexcept override { return true; }
  transport::SendStatus send(std::string_view, transport::MessageType, std::function<void()>&&) override {
    calls_.emplace_back("send");
    return transport::SendStatus::queued;
  }
  void pause() override { calls_.emplace_back("pause"); }
  void resume() override { calls_.emplace_back("resume"); }
  void close(int, std::string_view) override { calls_.emplace_back("close"); }

 private:
  Calls& calls_;
};

struct RecordingConnection final : transport::Connection {
  std::unique_ptr<transport::Exchange> send(transport::Request, transport::ExchangeObserver& given) override {
    observer = &given;
    return std::make_unique<RecordingExchange>(calls);
  }
  std::unique_ptr<transport::Exchange> open_websocket(transport::Request request,
                                                      transport::ExchangeObserver& given) override {
    return send(std::move(request), given);
  }
  transport::ExchangeObserver* observer = nullptr;
  Calls calls;
};

struct RecordingObserver final : transport::ExchangeObserver {
  void on_head(const transport::ResponseHead&) override { calls.emplace_back("head"); }
  void on_body(std::string_view) override { calls.emplace_back("body"); }
  void on_wire_bytes(std::size_t count) override { calls.push_back("wire " + std::to_string(count)); }
  void on_message_end(transport::MessageType) override { calls.emplace_back("message"); }
  void on_close(int, std::string_view) override { calls.emplace_back("close"); }
  void on_pong(std::chrono::microseconds) override { calls.emplace_back("pong"); }
  void on_drained() override { calls.emplace_back("drained"); }
  void on_end(const std::optional<Error>&) override { calls.emplace_back("end"); }
  Calls calls;
};

}  // namespace

TEST_CASE("a watch that can be ended gets all that its exchange reports, and reaches it with all that it asks for") {
  for (const bool websocket : {false, true}) {
    CAPTURE(websocket);
    const auto real = std::make_shared<RecordingConnection>();
    ClosableConnection connection(real, std::make_shared<OpenWatches>());
    RecordingObserver observer;
    transport::Request request;
    request.long_running = true;
    const auto exchange = websocket ? connection.open_websocket(request, observer) : connection.send(request, observer);
    CHECK(exchange->is_sent());
    real->observer->on_head({});
    real->observer->on_wire_bytes(3);
    real->observer->on_body("abc");
    real->observer->on_message_end(transport::MessageType::text);
    real->observer->on_pong(std::chrono::microseconds(1));
    real->observer->on_drained();
    exchange->send("a", transport::MessageType::text, nullptr);
    exchange->pause();
    exchange->resume();
    exchange->close(1000, "");
    real->observer->on_close(1000, "");
    real->observer->on_end(std::nullopt);
    CHECK(observer.calls == Calls{"head", "wire 3", "body", "message", "pong", "drained", "close", "end"});
    CHECK(real->calls == Calls{"send", "pause", "resume", "close"});
    CHECK(exchange->is_sent());
  }
}

TEST_CASE("a watch that was ended because its certificate was replaced had been sent") {
  const auto real = std::make_shared<RecordingConnection>();
  const auto watches = std::make_shared<OpenWatches>();
  ClosableConnection connection(real, watches);
  RecordingObserver observer;
  transport::Request request;
  request.long_running = true;
  const auto exchange = connection.send(request, observer);
  real->observer->on_head({});
  watches->end();
  CHECK(observer.calls == Calls{"head", "end"});
  CHECK(exchange->is_sent());
}

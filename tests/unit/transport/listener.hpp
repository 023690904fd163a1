// `Listener` runs an exchange on the network thread and records the observer's calls; used by the transport's tests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "transport/network_thread.hpp"
#include "transport/real_transport.hpp"

namespace test {

using ksr::Error;
using ksr::Expected;
using ksr::Milliseconds;
using ksr::Status;
using ksr::transport::Connection;
using ksr::transport::ConnectionSettings;
using ksr::transport::Exchange;
using ksr::transport::ExchangeObserver;
using ksr::transport::Header;
using ksr::transport::MessageType;
using ksr::transport::network_thread;
using ksr::transport::Request;
using ksr::transport::ResponseHead;
using ksr::transport::SendStatus;
using ksr::transport::Transport;

// Runs `task` on the network thread and waits for it.
void on_network(const std::function<void()>& task);

// The exchange it starts lives until the listener goes; destroyed on the network thread.
class Listener : public ExchangeObserver {
 public:
  Listener() = default;
  ~Listener() override { drop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void get(const std::shared_ptr<Connection>& connection, Request request);
  void open_websocket(const std::shared_ptr<Connection>& connection, Request request);
  // Destroys the exchange.
  void drop();

  // Each waits up to kWaitLimit and says whether it came.
  bool wait_for_end();
  bool wait_for_head();
  bool wait_for_body(std::size_t size);
  bool wait_for_messages(std::size_t count);
  // Whether no call came after the exchange was dropped; runs the network thread's pending tasks first.
  bool silent_since_drop();

  ResponseHead head();
  std::string body();
  std::vector<std::string> messages();
  std::optional<Error> error();
  int heads();
  int ends();

  enum class Point { head, body, message_end, end };
  // Called within the observer's call, on the network thread.
  std::function<void(Point)> at;

  void on_head(const ResponseHead& head) override;
  void on_body(std::string_view bytes) override;
  void on_message_end(MessageType type) override;
  void on_end(const std::optional<Error>& error) override;

  // Network thread only.
  std::unique_ptr<Exchange> exchange;

 private:
  bool wait(const std::function<bool()>& come);
  void note(const std::function<void()>& change, Point point);

  std::mutex mutex_;
  std::condition_variable changed_;
  ResponseHead head_;
  std::string body_;
  std::string message_;
  std::vector<std::string> messages_;
  std::optional<Error> error_;
  int heads_ = 0;
  int ends_ = 0;
  int calls_ = 0;
  int calls_at_drop_ = -1;
};

// The same connection; its last owner may be on any thread.
std::shared_ptr<Connection> released_on_network(std::shared_ptr<Connection> connection);
// Fails the test when the settings are refused.
std::shared_ptr<Connection> connect(ConnectionSettings settings);
std::shared_ptr<Connection> connect(const std::string& server);
Request request_for(const std::string& target);

}  // namespace test

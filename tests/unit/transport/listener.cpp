#include "unit/transport/listener.hpp"
#include "support/urls.hpp"

#include <doctest/doctest.h>

#include <future>
#include <utility>
#include "support/wait_limit.hpp"

namespace test {

void on_network(const std::function<void()>& task) {
  if (network_thread().on_this_thread()) return task();
  std::promise<void> done;
  network_thread().post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void Listener::get(const std::shared_ptr<Connection>& connection, Request request) {
  on_network([&] { exchange = connection->send(std::move(request), *this); });
}

void Listener::open_websocket(const std::shared_ptr<Connection>& connection, Request request) {
  on_network([&] { exchange = connection->open_websocket(std::move(request), *this); });
}

void Listener::drop() {
  on_network([&] {
    exchange.reset();
    const std::lock_guard lock(mutex_);
    calls_at_drop_ = calls_;
  });
}

bool Listener::wait(const std::function<bool()>& come) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, ksr::testing::kWaitLimit, come);
}

bool Listener::wait_for_end() {
  return wait([&] { return ends_ > 0; });
}
bool Listener::wait_for_head() {
  return wait([&] { return heads_ > 0; });
}
bool Listener::wait_for_body(std::size_t size) {
  return wait([&] { return body_.size() >= size; });
}
bool Listener::wait_for_messages(std::size_t count) {
  return wait([&] { return messages_.size() >= count; });
}

bool Listener::silent_since_drop() {
  for (int turn = 0; turn < 3; ++turn) on_network([] {});
  const std::lock_guard lock(mutex_);
  return calls_ == calls_at_drop_;
}

ResponseHead Listener::head() {
  const std::lock_guard lock(mutex_);
  return head_;
}
std::string Listener::body() {
  const std::lock_guard lock(mutex_);
  return body_;
}
std::vector<std::string> Listener::messages() {
  const std::lock_guard lock(mutex_);
  return messages_;
}
std::optional<Error> Listener::error() {
  const std::lock_guard lock(mutex_);
  return error_;
}
int Listener::heads() {
  const std::lock_guard lock(mutex_);
  return heads_;
}
int Listener::ends() {
  const std::lock_guard lock(mutex_);
  return ends_;
}

void Listener::note(const std::function<void()>& change, Point point) {
  if (at) at(point);
  {
    const std::lock_guard lock(mutex_);
    ++calls_;
    change();
  }
  changed_.notify_all();
}

void Listener::on_head(const ResponseHead& head) {
  note(
      [&] {
        head_ = head;
        ++heads_;
      },
      Point::head);
}
void Listener::on_body(std::string_view bytes) {
  note(
      [&] {
        body_ += bytes;
        message_ += bytes;
      },
      Point::body);
}
void Listener::on_message_end(MessageType) {
  note([&] { messages_.push_back(std::exchange(message_, {})); }, Point::message_end);
}
void Listener::on_end(const std::optional<Error>& error) {
  note(
      [&] {
        error_ = error;
        ++ends_;
      },
      Point::end);
}

std::shared_ptr<Connection> connect(ConnectionSettings settings) {
  std::optional<Expected<std::shared_ptr<Connection>>> outcome;
  on_network([&] { outcome = ksr::transport::real_transport().connect(settings); });
  REQUIRE_MESSAGE(outcome->has_value(), (*outcome ? "" : outcome->error().message));
  return released_on_network(std::move(**outcome));
}

std::shared_ptr<Connection> released_on_network(std::shared_ptr<Connection> connection) {
  Connection* const plain = connection.get();
  return {plain, [owner = std::move(connection)](Connection*) mutable { on_network([&] { owner.reset(); }); }};
}

std::shared_ptr<Connection> connect(const std::string& server) {
  ConnectionSettings settings;
  settings.server = ksr::testing::url_of(server);
  return connect(std::move(settings));
}

Request request_for(const std::string& target) {
  Request request;
  request.target = target;
  return request;
}

}  // namespace test

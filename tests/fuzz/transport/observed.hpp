// `Observed` is the observer of one exchange: it checks the order of the calls, and may destroy the exchange within any
// of them. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "transport/transport.hpp"

namespace ksr::fuzz {

class Observed final : public transport::ExchangeObserver {
 public:
  // Destroys the exchange within that call, counted from 1; 0: in none.
  explicit Observed(std::size_t destroy_in) : destroy_in_(destroy_in) {}

  void on_head(const transport::ResponseHead& head) override {
    require(status == 0 && !ended, "a second head, or one after the end");
    require(head.status >= 100 && head.status <= 999, "a status that is none");
    status = head.status;
    count();
  }
  void on_body(std::string_view bytes) override {
    require(status != 0 && !ended && !destroyed_, "a body before its head or after the end");
    require(!bytes.empty(), "an empty piece of a body");
    open_message += bytes;
    body_size += bytes.size();
    count();
  }
  void on_message_end(transport::MessageType) override {
    require(status == 101 && !ended && !destroyed_, "a message that is none");
    messages.push_back(std::exchange(open_message, {}));
    count();
  }
  void on_drained() override {
    require(status != 0 && !ended && !destroyed_, "drained before the head or after the end");
    count();
  }
  void on_end(const std::optional<Error>& error) override {
    require(!ended && !destroyed_, "a second end, or one after the exchange was destroyed");
    ended = true;
    failed = error.has_value();
    if (error) require(!error->message.empty(), "an error without a message");
    count();
  }

  bool destroyed() const { return destroyed_; }
  void destroy() {
    destroyed_ = true;
    exchange.reset();
  }

  std::unique_ptr<transport::Exchange> exchange;
  int status = 0;
  std::string open_message;
  std::size_t body_size = 0;
  std::vector<std::string> messages;
  bool ended = false;
  bool failed = false;

 private:
  void count() {
    require(!destroyed_, "a call after the exchange was destroyed");
    if (++calls_ == destroy_in_) destroy();
  }

  const std::size_t destroy_in_;
  std::size_t calls_ = 0;
  bool destroyed_ = false;
};

}  // namespace ksr::fuzz

#include "fuzz/transport/memory_network.hpp"

#include <boost/asio/error.hpp>
#include <utility>

#include "fuzz/fuzz.hpp"
#include "transport/dial.hpp"

namespace ksr::fuzz {

class MemoryNetwork::Stream final : public web::connected_stream, public std::enable_shared_from_this<Stream> {
 public:
  explicit Stream(MemoryNetwork& network) : network_(network) {}

  void read_some(void* data, std::size_t size, handler done) override {
    require(!reading_, "two reads at a time");
    reading_ = true;
    network_.post([self = shared_from_this(), data, size, done = std::move(done)]() mutable {
      self->reading_ = false;
      self->answer(data, size, std::move(done));
    });
  }
  void write_all(std::string data, handler done) override {
    require(!writing_, "two writes at a time");
    writing_ = true;
    network_.post([self = shared_from_this(), data = std::move(data), done = std::move(done)] {
      self->writing_ = false;
      if (self->closed_) return done(boost::asio::error::operation_aborted, 0);
      self->written_ += data;
      done({}, data.size());
    });
  }
  // What the peer sends comes when it is read.
  bool at_rest() noexcept override { return !closed_; }
  void close() noexcept override { closed_ = true; }

 private:
  void answer(void* data, std::size_t size, handler done) {
    if (closed_) return done(boost::asio::error::operation_aborted, 0);
    Arrival arrival;
    if (!network_.peer_(written_, size, arrival)) {
      // Nothing to read yet: again when something has been written, or not at all.
      if (++waits_ < kMaxWaits) return read_some(data, size, std::move(done));
      arrival.end = true;
    }
    if (arrival.failed) return done(boost::asio::error::connection_reset, 0);
    if (arrival.end || arrival.bytes.empty()) return done(boost::asio::error::eof, 0);
    require(arrival.bytes.size() <= size, "more than was asked for");
    std::copy(arrival.bytes.begin(), arrival.bytes.end(), static_cast<char*>(data));
    done({}, arrival.bytes.size());
  }

  static constexpr int kMaxWaits = 4;
  MemoryNetwork& network_;
  std::string written_;
  int waits_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  bool closed_ = false;
};

struct MemoryNetwork::HeldTimer final : Timer {
  explicit HeldTimer(std::shared_ptr<std::function<void()>> task) : task_(std::move(task)) {}
  ~HeldTimer() override { *task_ = nullptr; }
  HeldTimer(const HeldTimer&) = delete;
  HeldTimer& operator=(const HeldTimer&) = delete;
  const std::shared_ptr<std::function<void()>> task_;
};

std::unique_ptr<Timer> MemoryNetwork::schedule(Instant at, std::function<void()> task) {
  auto held = std::make_shared<std::function<void()>>(std::move(task));
  timers_.emplace(at, held);
  return std::make_unique<HeldTimer>(held);
}

bool MemoryNetwork::run_one() {
  if (tasks_.empty()) return false;
  const auto task = std::move(tasks_.front());
  tasks_.pop_front();
  task();
  return true;
}

void MemoryNetwork::advance(Milliseconds by) {
  const Instant end = now_ + by;
  // A ping each second, for instance, re-arms its timer.
  for (int fired = 0; fired < 100 && !timers_.empty() && timers_.begin()->first <= end; ++fired) {
    now_ = std::max(now_, timers_.begin()->first);
    const auto held = timers_.begin()->second;
    timers_.erase(timers_.begin());
    // It may destroy its timer.
    if (const auto task = std::exchange(*held, nullptr)) task();
  }
  now_ = end;
}

std::shared_ptr<const transport::Route> MemoryNetwork::route() {
  Url server;
  server.scheme = "http";
  server.host = "server";
  server.port = 80;
  return std::make_shared<const transport::Route>(
      transport::Route{*this, nullptr, server, std::nullopt, nullptr, Milliseconds(0)});
}

std::shared_ptr<web::connected_stream> MemoryNetwork::connect() {
  return std::make_shared<Stream>(*this);
}

}  // namespace ksr::fuzz

// In place of src/transport/dial.cpp, which the linker leaves in its archive.
namespace ksr::transport {

class Dial::Steps {
 public:
  explicit Steps(Done done) : done_(std::move(done)) {}
  Done done_;
};

Dial::Dial(std::shared_ptr<const Route> route, std::optional<Milliseconds>, Done done)
    : steps_(std::make_shared<Steps>(std::move(done))) {
  route->executor.post([steps = std::weak_ptr<Steps>(steps_)] {
    const auto alive = steps.lock();
    if (alive) std::exchange(alive->done_, nullptr)(fuzz::MemoryNetwork::current().connect());
  });
}

Dial::~Dial() = default;

std::string Dial::step() const {
  return {};
}

}  // namespace ksr::transport

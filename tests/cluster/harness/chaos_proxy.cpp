#include "cluster/harness/chaos_proxy.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "cluster/harness/chaos_connection.hpp"
#include "cluster/harness/free_port.hpp"
#include "cluster/harness/run_on.hpp"

namespace ksr::clustertest {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// The counters are read on any thread; everything else lives on the proxy's thread.
class ChaosProxy::Impl {
 public:
  explicit Impl(std::uint16_t target_port)
      : target_(asio::ip::address_v4::loopback(), target_port),
        listening_at_(asio::ip::address_v4::loopback(), free_port()) {
    listen(listening_at_);
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    run_on(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      for (const auto& connection : connections_) connection->reset();
      work_.reset();
    });
    thread_.join();
  }

  void treat(Treatment treatment) {
    run_on(io_, [this, treatment] {
      treatment_ = treatment;
      if (!acceptor_.is_open()) {
        listen(listening_at_);
        accept();
      }
      for (const auto& connection : connections_) connection->treat(treatment);
    });
  }

  void refuse() {
    run_on(io_, [this] { acceptor_.close(); });
  }

  void limit_age(std::chrono::milliseconds limit) {
    run_on(io_, [this, limit] { age_limit_ = limit; });
  }

  template <class Action>
  void for_each(Action action) {
    run_on(io_, [this, action] {
      for (const auto& connection : connections_) action(*connection);
    });
  }

  std::uint64_t open_connections() {
    return run_on(io_, [this] {
      forget_closed();
      return static_cast<std::uint64_t>(connections_.size());
    });
  }

  std::uint16_t port() const { return listening_at_.port(); }
  std::uint64_t accepted() const { return accepted_; }
  std::uint64_t bytes_from_server() const { return bytes_from_server_; }

 private:
  void listen(const tcp::endpoint& address) {
    acceptor_.open(address.protocol());
    acceptor_.set_option(tcp::acceptor::reuse_address(true));
    acceptor_.bind(address);
    acceptor_.listen();
  }

  void accept() {
    acceptor_.async_accept([this](error_code failure, tcp::socket client) {
      if (failure == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (!failure) serve(std::move(client));
      accept();
    });
  }

  void serve(tcp::socket client) {
    forget_closed();
    ++accepted_;
    connections_.push_back(std::make_shared<ChaosConnection>(std::move(client), tcp::socket(io_),
                                                             [this](std::size_t n) { bytes_from_server_ += n; }));
    connections_.back()->start(target_, treatment_);
    if (age_limit_) connections_.back()->limit_age(*age_limit_);
  }

  void forget_closed() {
    const auto closed = [](const auto& connection) { return !connection->open(); };
    connections_.erase(std::remove_if(connections_.begin(), connections_.end(), closed), connections_.end());
  }

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::endpoint target_;
  tcp::endpoint listening_at_;
  tcp::acceptor acceptor_{io_};
  std::vector<std::shared_ptr<ChaosConnection>> connections_;
  Treatment treatment_ = Treatment::pass;
  std::optional<std::chrono::milliseconds> age_limit_;
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> bytes_from_server_{0};
  std::thread thread_;
};

ChaosProxy::ChaosProxy(std::uint16_t target_port) : impl_(std::make_unique<Impl>(target_port)) {}
ChaosProxy::~ChaosProxy() = default;

std::uint16_t ChaosProxy::port() const {
  return impl_->port();
}
void ChaosProxy::pass() {
  impl_->treat(Treatment::pass);
}
void ChaosProxy::stall() {
  impl_->treat(Treatment::stall);
}
void ChaosProxy::blackhole() {
  impl_->treat(Treatment::blackhole);
}
void ChaosProxy::refuse() {
  impl_->refuse();
}

void ChaosProxy::cut() {
  impl_->for_each([](ChaosConnection& connection) { connection.reset(); });
}

void ChaosProxy::cut_after(std::uint64_t bytes) {
  impl_->for_each([bytes](ChaosConnection& connection) { connection.cut_after(bytes); });
}

void ChaosProxy::limit_age(std::chrono::milliseconds limit) {
  impl_->limit_age(limit);
}

std::uint64_t ChaosProxy::accepted() const {
  return impl_->accepted();
}
std::uint64_t ChaosProxy::open_connections() const {
  return impl_->open_connections();
}
std::uint64_t ChaosProxy::bytes_from_server() const {
  return impl_->bytes_from_server();
}

}  // namespace ksr::clustertest

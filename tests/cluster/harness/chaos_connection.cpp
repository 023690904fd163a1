#include "cluster/harness/chaos_connection.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace ksr::clustertest {

namespace asio = boost::asio;
using boost::system::error_code;

ChaosConnection::ChaosConnection(Socket client, Socket server, std::function<void(std::size_t)> delivered)
    : client_(std::move(client)),
      server_(std::move(server)),
      age_(client_.get_executor()),
      delivered_(std::move(delivered)) {}

void ChaosConnection::start(const asio::ip::tcp::endpoint& target, Treatment treatment) {
  treatment_ = treatment;
  server_.async_connect(target, [self = shared_from_this()](error_code failure) {
    if (failure) return self->reset();
    error_code ignored;
    self->client_.set_option(asio::ip::tcp::no_delay(true), ignored);
    self->server_.set_option(asio::ip::tcp::no_delay(true), ignored);
    self->read(self->up_);
    self->read(self->down_);
  });
}

void ChaosConnection::treat(Treatment treatment) {
  if (treatment_ == Treatment::blackhole) return;
  treatment_ = treatment;
  if (treatment == Treatment::stall) return;
  for (Pump* pump : {&up_, &down_}) {
    const std::size_t held = std::exchange(pump->waiting, 0);
    if (held > 0) arrived(*pump, held);
    if (std::exchange(pump->end_waiting, false)) end(*pump);
  }
}

void ChaosConnection::limit_age(std::chrono::milliseconds limit) {
  age_.expires_after(limit);
  age_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->reset();
  });
}

void ChaosConnection::reset() {
  error_code ignored;
  age_.cancel();
  for (Socket* socket : {&client_, &server_}) {
    socket->set_option(asio::socket_base::linger(true, 0), ignored);  // close sends RST
    socket->close(ignored);
  }
}

void ChaosConnection::read(Pump& pump) {
  pump.from.async_read_some(asio::buffer(pump.buffer), [self = shared_from_this(), &pump](error_code e, std::size_t n) {
    e ? self->end(pump) : self->arrived(pump, n);
  });
}

void ChaosConnection::arrived(Pump& pump, std::size_t size) {
  if (treatment_ == Treatment::stall)
    pump.waiting = size;
  else if (treatment_ == Treatment::blackhole)
    read(pump);
  else
    write(pump, size);
}

bool ChaosConnection::cut_is_due(const Pump& pump, std::size_t& size) {
  if (&pump != &down_ || !allowance_) return false;
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, *allowance_));
  *allowance_ -= size;
  return *allowance_ == 0;
}

void ChaosConnection::write(Pump& pump, std::size_t size) {
  const bool last = cut_is_due(pump, size);
  asio::async_write(pump.to, asio::buffer(pump.buffer, size),
                    [self = shared_from_this(), &pump, last](error_code failure, std::size_t n) {
                      if (failure) return self->end(pump);
                      if (&pump == &self->down_) self->delivered_(n);
                      last ? self->reset() : self->read(pump);
                    });
}

void ChaosConnection::end(Pump& pump) {
  error_code ignored;
  if (treatment_ == Treatment::stall) {
    pump.end_waiting = true;
    return;
  }
  pump.ended = true;
  if (treatment_ != Treatment::blackhole) pump.to.shutdown(Socket::shutdown_send, ignored);
  const bool client_left = treatment_ == Treatment::blackhole && &pump == &up_;
  if (client_left || (up_.ended && down_.ended)) reset();
}

}  // namespace ksr::clustertest

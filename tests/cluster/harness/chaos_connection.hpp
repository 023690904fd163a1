// `ChaosConnection` is one connection through a proxy: two sockets and a pump in each direction; used by ChaosProxy and
// ConnectProxy. Lives on the proxy's thread.
#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace ksr::clustertest {

enum class Treatment { pass, stall, blackhole };

class ChaosConnection : public std::enable_shared_from_this<ChaosConnection> {
 public:
  using Socket = boost::asio::ip::tcp::socket;

  // `delivered` receives the number of bytes that reached the client.
  ChaosConnection(Socket client, Socket server, std::function<void(std::size_t)> delivered);

  // Connects to `target`, then starts both pumps.
  void start(const boost::asio::ip::tcp::endpoint& target, Treatment treatment);
  // A blackholed connection stays blackholed.
  void treat(Treatment treatment);
  void cut_after(std::uint64_t bytes) { allowance_ = bytes; }
  void limit_age(std::chrono::milliseconds limit);
  void reset();
  bool open() const { return client_.is_open(); }

 private:
  struct Pump {
    Socket& from;
    Socket& to;
    std::array<char, 16384> buffer;
    std::size_t waiting = 0;   // bytes in the buffer that a stall holds back
    bool end_waiting = false;  // a stall holds back the end of the stream
    bool ended = false;
  };

  void read(Pump& pump);
  void arrived(Pump& pump, std::size_t size);
  void write(Pump& pump, std::size_t size);
  void end(Pump& pump);
  bool cut_is_due(const Pump& pump, std::size_t& size);

  Socket client_;
  Socket server_;
  boost::asio::steady_timer age_;
  Pump up_{client_, server_, {}};
  Pump down_{server_, client_, {}};
  std::function<void(std::size_t)> delivered_;
  Treatment treatment_ = Treatment::pass;
  std::optional<std::uint64_t> allowance_;
};

}  // namespace ksr::clustertest

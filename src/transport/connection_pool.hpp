// `ConnectionPool` keeps the idle connections of one Connection; used by HttpExchange. A connection that was idle for
// 30 s is closed: load balancers drop theirs after a minute. Lives on the network thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/executor.hpp"
#include "base/instant.hpp"

namespace ksr::transport {

class ConnectionPool {
 public:
  using Stream = std::shared_ptr<web::connected_stream>;

  explicit ConnectionPool(Executor& executor) : executor_(executor) {}
  ~ConnectionPool();
  ConnectionPool(const ConnectionPool&) = delete;
  ConnectionPool& operator=(const ConnectionPool&) = delete;

  // The one that was idle for the shortest time, so that the others reach their limit; NULL when there is none, or none
  // that was idle for at most `max_idle_time`.
  Stream take(std::optional<Milliseconds> max_idle_time = std::nullopt);
  void put(Stream stream);

 private:
  struct Idle {
    Stream stream;
    Instant since;
  };

  void close_old_ones_at(Instant at);
  void close_old_ones();

  Executor& executor_;
  // Oldest first.
  std::vector<Idle> idle_;
  std::unique_ptr<Timer> timer_;
};

}  // namespace ksr::transport

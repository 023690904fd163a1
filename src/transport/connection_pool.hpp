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

  // The one that was idle for the shortest time, so that the others reach their limit; NULL when there is none. One on
  // which something has come, or that the server has closed, is dropped. `repeatable`: the request may be sent again
  // should the server close the connection while the request is on its way; else only a connection is taken that has
  // been idle for a second at most, so that this is unlikely; otherwise the oldest one is closed.
  Stream take(bool repeatable);
  void put(Stream stream);
  // Those that have been idle for so long.
  void close_idle(Milliseconds idle_for);

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

// `Dial` makes one connection: name, TCP, proxy, TLS; used by ExchangeDriver. Lives on the network thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <functional>
#include <memory>
#include <string>

#include "base/expected.hpp"
#include "transport/route.hpp"

namespace ksr::transport {

class Dial {
 public:
  using Stream = std::shared_ptr<web::connected_stream>;
  using Done = std::function<void(Expected<Stream>)>;

  // Calls `done` later, once, unless the Dial was destroyed before. `tunnel`: through a proxy, ask it for a tunnel even
  // to a server without TLS (WebSocket).
  Dial(std::shared_ptr<const Route> route, bool tunnel, Done done);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

  // What it does now, for messages: "connecting to HOST:PORT at ADDRESS".
  std::string step() const;

 private:
  class Steps;
  std::shared_ptr<Steps> steps_;
};

}  // namespace ksr::transport

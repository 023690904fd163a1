// `Dial` makes one connection: name, TCP, proxy, TLS; used by ExchangeDriver. Lives on the network thread.
#pragma once

#include <cpprest/details/connection_driver.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/expected.hpp"
#include "base/instant.hpp"
#include "transport/route.hpp"

namespace ksr::transport {

class Dial {
 public:
  using Stream = std::shared_ptr<web::connected_stream>;
  using Done = std::function<void(Expected<Stream>)>;

  // Calls `done` later, once, unless the Dial was destroyed before. `tunnel`: through a proxy, ask it for a tunnel even
  // to a server without TLS (WebSocket), and wait so long for the answer, which such a server's other requests do not
  // need; 0: no limit but that of the whole.
  Dial(std::shared_ptr<const Route> route, std::optional<Milliseconds> tunnel, Done done);
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

// `Route` is what the exchanges of one Connection share: server, proxy, TLS; made by RealTransport, used by Dial and
// the exchanges. Immutable.
#pragma once

#include <memory>
#include <optional>

#include "base/executor.hpp"
#include "base/url.hpp"
#include "transport/dns_resolver.hpp"
#include "transport/tls_context.hpp"

namespace ksr::transport {

struct Route {
  Executor& executor;
  std::shared_ptr<DnsResolver> resolver;
  Url server;
  std::optional<Url> proxy;
  // NULL for http.
  std::shared_ptr<TlsContext> tls;
  Milliseconds connect_timeout;

  // For messages: where the TCP connection goes, and whom it is for.
  std::string next_hop() const { return proxy ? "proxy " + proxy->host_port() : server.host_port(); }
  std::string peer() const { return server.host_port() + (proxy ? " through " + next_hop() : ""); }
};

}  // namespace ksr::transport

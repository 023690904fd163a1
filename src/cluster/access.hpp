// One way into one cluster: the connection, the credentials, and what discovery says. Streams whose resolved connection
// is the same share one Access.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/resource.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// What a request needs, good for one start.
struct RequestAuth {
  std::shared_ptr<transport::Connection> connection;
  // Authorization, impersonation, User-Agent, header.NAME: to be sent with every request.
  std::vector<transport::Header> headers;
  // To be offered with a WebSocket handshake, in this order and as "a, b". A server may take any of them; none of what
  // stands here needs to be echoed but the first one.
  std::vector<std::string> subprotocols = {};
  // False: the kubeconfig says disable-compression.
  bool compression = true;
};

// What a grant is for: behind a Headlamp server the two differ, and a WebSocket needs a request right before it.
enum class Purpose { request, websocket };

// Destroying it means that the answer is no longer wanted.
class Pending {
 public:
  virtual ~Pending() = default;
};

// Lives on the network thread, but for open() and its destruction, which may happen anywhere.
class Access {
 public:
  virtual ~Access() = default;

  // The connection and fresh credentials for one request. Answers on the network thread, never before it returned.
  virtual std::unique_ptr<Pending> authenticate(std::function<void(Expected<RequestAuth>)> ready) = 0;
  // The same for what follows at once: a request, or the handshake of a WebSocket.
  virtual std::unique_ptr<Pending> authenticate(Purpose purpose, std::function<void(Expected<RequestAuth>)> ready) {
    (void)purpose;
    return authenticate(std::move(ready));
  }
  // The server answered 401: credentials obtained before now are worth nothing.
  virtual void reject_credentials() = 0;
  // The candidates that QueryOptions::resources names, in order. Answers on the network thread, never before it
  // returned.
  virtual std::unique_ptr<Pending> resolve(const QueryOptions& query,
                                           std::function<void(Expected<std::vector<Resource>>)> ready) = 0;
  // scheme://host:port of the cluster, for messages.
  virtual const std::string& server() const noexcept = 0;
  // The head of any answer that came through this Access: a Headlamp server says there when its plugins have changed.
  virtual void note_answer(const transport::ResponseHead& head) { (void)head; }
  // How often a Headlamp server said so (X-Reload). Any thread.
  virtual std::uint64_t reloads() const noexcept { return 0; }
  // What happens to the credentials and to discovery later on is told to `logger` too, while it lives. Any thread.
  virtual void listen(std::weak_ptr<Logger> logger) { (void)logger; }
};

// What an Access is made with: the real network, or fakes.
struct AccessEnvironment {
  Executor& executor;
  transport::Transport& transport;
};

// Where `namespace` is not set, kubectl takes the one of the context, and "default" where it names none. Reads the same
// files as open_access, on the calling thread. Any thread.
Expected<std::string> default_namespace(const ConnectionOptions& options, Logger& logger);

// Resolves the options (reads the files they name, on the calling thread) and returns the Access of that connection, an
// existing one where another stream uses the same. `logger` is not used once this has returned. Any thread.
Expected<std::shared_ptr<Access>> open_access(const ConnectionOptions& options, const AccessEnvironment& environment,
                                              Logger& logger);

}  // namespace ksr::cluster

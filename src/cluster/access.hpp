// `Access` is one connection to one cluster as streams, requests and channels see it, which authenticate and resolve
// resource names through it; `open_access` makes it. Streams and clients with the same resolved connection share one.
// Lives on the network thread, but for its creation and destruction, which may happen on any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellable_callback.hpp"
#include "base/executor.hpp"
#include "base/expected.hpp"
#include "base/log.hpp"
#include "base/secrets.hpp"
#include "cluster/connection_options.hpp"
#include "cluster/resource.hpp"
#include "transport/transport.hpp"

namespace ksr::cluster {

// What a request needs to be sent, good for one.
struct RequestAuth {
  std::shared_ptr<transport::Connection> connection;
  // Authorization, impersonation, User-Agent, header.NAME: sent with every request.
  std::vector<transport::Header> headers;
  // Offered with a WebSocket handshake, in this order and as "a, b". A server may remove any of them; only the first
  // one has to be echoed.
  std::vector<std::string> subprotocols = {};
  // False: the kubeconfig says disable-compression.
  bool compression = true;
  // Through a Headlamp server: the prefix of that server, where the connection has that of the cluster.
  std::optional<std::string> headlamp_prefix = std::nullopt;
};

// The request of a list or watch with all that it needs.
void authorize(transport::Request& request, const RequestAuth& auth);
// The headers of the client that the request does not have itself: its own count more.
void add_headers(transport::Request& request, const RequestAuth& auth);

// Of a response that the library reads itself: instead of an Accept that the host has set.
void set_accept(transport::Request& request, const char* types);
// scope=headlamp: the request goes to the Headlamp server itself. An error without one.
Expected<void> send_to_headlamp(transport::Request& request, const RequestAuth& auth);

// Through a Headlamp server the two differ, and a WebSocket needs a request right before it.
enum class Purpose { request, websocket };

using AuthReady = std::function<void(Expected<RequestAuth>)>;
using ResourcesReady = std::function<void(Expected<std::vector<Resource>>)>;

class Access {
 public:
  virtual ~Access() = default;

  // The connection and current credentials for a request that follows at once. `ready` is called on the network thread,
  // never before this has returned, unless the handle is destroyed.
  virtual PendingCall authenticate(Purpose purpose, AuthReady ready) = 0;
  // The server answered 401: credentials obtained before now are invalid. False: the next request has the same ones,
  // since there is no way to obtain others, or since these have just been obtained for others that were refused.
  virtual bool reject_credentials() = 0;
  // The candidates that QueryOptions::resources names, in order. `ready` is called as that of authenticate().
  virtual PendingCall resolve(const QueryOptions& query, ResourcesReady ready) = 0;
  // The same after the server answered 404 to those candidates: discovery is read again, unless it is quite new.
  virtual PendingCall resolve_again(const QueryOptions& query, ResourcesReady ready) = 0;
  // scheme://host:port of the cluster, for messages.
  virtual const std::string& server() const noexcept = 0;
  // The head of any response that came through this Access: a Headlamp server says there when its plugins have changed.
  virtual void on_response_head(const transport::ResponseHead& head) = 0;
  // How often a Headlamp server said so (X-Reload). Any thread.
  virtual std::uint64_t reloads() const noexcept = 0;
  // What the texts of this connection must not have in them: see CallbackDispatcher. Any thread.
  virtual std::shared_ptr<const Secrets> secrets() const = 0;
  // From now on `logger` gets, while it exists, what credentials and discovery log. Any thread.
  virtual void add_logger(std::weak_ptr<Logger> logger) = 0;
};

// What an Access is made with: the real network, or fakes.
struct AccessEnvironment {
  Executor& executor;
  transport::Transport& transport;
};

// Resolves the options (reads the files they name, on the calling thread) and returns the Access of that connection, an
// existing one where another stream uses the same. `logger` is not used once this has returned. Any thread.
// `name_space`, where it is not null, becomes the namespace where the key `namespace` is not set: that of the context,
// as for kubectl, and "default" where it has none. The files are read once: a named pipe could not be read again.
Expected<std::shared_ptr<Access>> open_access(const ConnectionOptions& options, const AccessEnvironment& environment,
                                              Logger& logger, std::string* name_space = nullptr);

}  // namespace ksr::cluster

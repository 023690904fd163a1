#include "cluster/harness/connect_proxy.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <thread>

#include "cluster/harness/base64.hpp"
#include "cluster/harness/chaos_connection.hpp"
#include "cluster/harness/free_port.hpp"
#include "cluster/harness/run_on.hpp"

namespace ksr::clustertest {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kMaxHeadSize = 16 * 1024;
constexpr const char* kEstablished = "HTTP/1.1 200 Connection established\r\n\r\n";
constexpr const char* kAuthenticationRequired =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"edge\"\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n";
constexpr const char* kForbidden = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::string basic(const std::string& user, const std::string& password) {
  return "Basic " + base64(user + ":" + password);
}

std::string percent_encoded(const std::string& text) {
  constexpr const char* kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0) {
      encoded += static_cast<char>(c);
    } else {
      encoded += {'%', kDigits[c / 16], kDigits[c % 16]};
    }
  }
  return encoded;
}

// "CONNECT 127.0.0.1:6443 HTTP/1.1" to "127.0.0.1:6443"; empty for any other request.
std::string target_of(const std::string& head) {
  const std::string verb = "CONNECT ";
  const std::size_t end = head.find(" HTTP/1.", verb.size());
  if (head.rfind(verb, 0) != 0 || end == std::string::npos) return "";
  return head.substr(verb.size(), end - verb.size());
}

}  // namespace

// The constants are read on any thread; everything else lives on the proxy's thread.
class ConnectProxy::Impl {
 public:
  Impl(std::string user, std::string password)
      : user_(std::move(user)),
        password_(std::move(password)),
        acceptor_(io_, tcp::endpoint(asio::ip::address_v4::loopback(), free_port())),
        port_(acceptor_.local_endpoint().port()) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    run_on(io_, [this] {
      error_code ignored;
      acceptor_.close(ignored);
      for (const auto& pending : pending_clients_) {
        if (const auto client = pending.lock()) client->socket.close(ignored);
      }
      reset_all();
      work_.reset();
    });
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  std::string url() const {
    const std::string credentials =
        user_.empty() ? "" : percent_encoded(user_) + ":" + percent_encoded(password_) + "@";
    return "http://" + credentials + "127.0.0.1:" + std::to_string(port_);
  }
  std::vector<std::string> tunnels() {
    return run_on(io_, [this] { return tunnels_; });
  }
  std::uint64_t refused() {
    return run_on(io_, [this] { return refused_; });
  }
  void cut() {
    run_on(io_, [this] { reset_all(); });
  }

 private:
  // A client whose tunnel is not yet established. Lives on the proxy's thread.
  struct PendingClient {
    explicit PendingClient(tcp::socket accepted) : socket(std::move(accepted)) {}
    tcp::socket socket;
    std::string head;
  };

  void reset_all() {
    for (const auto& connection : connections_) connection->reset();
    connections_.clear();
  }

  void accept() {
    acceptor_.async_accept([this](error_code failure, tcp::socket client) {
      if (failure == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (!failure) read_head(std::make_shared<PendingClient>(std::move(client)));
      accept();
    });
  }

  void read_head(const std::shared_ptr<PendingClient>& client) {
    pending_clients_.push_back(client);
    asio::async_read_until(client->socket, asio::dynamic_buffer(client->head, kMaxHeadSize), "\r\n\r\n",
                           [this, client](error_code failure, std::size_t) {
                             if (!failure) decide(client);
                           });
  }

  void decide(const std::shared_ptr<PendingClient>& client) {
    const std::string target = target_of(client->head);
    const bool known = user_.empty() || client->head.find("Proxy-Authorization: " + basic(user_, password_) + "\r\n") !=
                                            std::string::npos;
    const std::size_t colon = target.rfind(':');
    const bool local = target.substr(0, colon) == "127.0.0.1";
    if (!known || !local) {
      ++refused_;
      return answer(client, known ? kForbidden : kAuthenticationRequired, [](const auto&) {});
    }
    tunnels_.push_back(target);
    const tcp::endpoint server(asio::ip::address_v4::loopback(),
                               static_cast<std::uint16_t>(std::stoi(target.substr(colon + 1))));
    answer(client, kEstablished, [this, server](const std::shared_ptr<PendingClient>& accepted) {
      connections_.push_back(
          std::make_shared<ChaosConnection>(std::move(accepted->socket), tcp::socket(io_), [](std::size_t) {}));
      connections_.back()->start(server, Treatment::pass);
    });
  }

  template <class Then>
  void answer(const std::shared_ptr<PendingClient>& client, const char* text, Then then) {
    asio::async_write(client->socket, asio::buffer(std::string_view(text)),
                      [client, then](error_code failure, std::size_t) {
                        if (!failure) then(client);
                      });
  }

  const std::string user_;
  const std::string password_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::vector<std::weak_ptr<PendingClient>> pending_clients_;
  std::vector<std::shared_ptr<ChaosConnection>> connections_;
  std::vector<std::string> tunnels_;
  std::uint64_t refused_ = 0;
  std::thread thread_;
};

ConnectProxy::ConnectProxy(std::string user, std::string password)
    : impl_(std::make_unique<Impl>(std::move(user), std::move(password))) {}
ConnectProxy::~ConnectProxy() = default;

std::uint16_t ConnectProxy::port() const {
  return impl_->port();
}
std::string ConnectProxy::url() const {
  return impl_->url();
}
std::vector<std::string> ConnectProxy::tunnels() const {
  return impl_->tunnels();
}
std::uint64_t ConnectProxy::refused() const {
  return impl_->refused();
}
void ConnectProxy::cut() {
  impl_->cut();
}

}  // namespace ksr::clustertest

#include "cluster/harness/connect_proxy.hpp"

#include <openssl/evp.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <cctype>
#include <future>
#include <thread>

#include "cluster/harness/chaos_connection.hpp"
#include "cluster/harness/free_port.hpp"

namespace ksr::clustertest {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t largest_head = 16 * 1024;
constexpr const char* established = "HTTP/1.1 200 Connection established\r\n\r\n";
constexpr const char* wants_credentials =
    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"edge\"\r\n"
    "Content-Length: 0\r\nConnection: close\r\n\r\n";
constexpr const char* refuses = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::string basic(const std::string& user, const std::string& password) {
  const std::string text = user + ":" + password;
  std::string encoded((text.size() + 2) / 3 * 4 + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  encoded.resize(static_cast<std::size_t>(size));
  return "Basic " + encoded;
}

std::string percent_encoded(const std::string& text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0) {
      encoded += static_cast<char>(c);
    } else {
      encoded += {'%', digits[c / 16], digits[c % 16]};
    }
  }
  return encoded;
}

// "CONNECT 127.0.0.1:6443 HTTP/1.1" to "127.0.0.1:6443"; empty when it is something else.
std::string target_of(const std::string& head) {
  const std::string verb = "CONNECT ";
  const std::size_t end = head.find(" HTTP/1.", verb.size());
  if (head.rfind(verb, 0) != 0 || end == std::string::npos) return "";
  return head.substr(verb.size(), end - verb.size());
}

// One client until its tunnel stands.
struct Guest {
  explicit Guest(tcp::socket accepted) : socket(std::move(accepted)) {}
  tcp::socket socket;
  std::string head;
};

}  // namespace

// All but the constants belongs to the proxy's thread.
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
    on_thread([this] {
      error_code ignored;
      acceptor_.close(ignored);
      for (const auto& guest : guests_) {
        if (const auto there = guest.lock()) there->socket.close(ignored);
      }
      reset_all();
      work_.reset();
    });
    thread_.join();
  }

  template <class Action>
  auto on_thread(Action action) -> decltype(action()) {
    std::packaged_task<decltype(action())()> task(std::move(action));
    auto result = task.get_future();
    asio::post(io_, std::move(task));
    return result.get();
  }

  void reset_all() {
    for (const auto& connection : connections_) connection->reset();
    connections_.clear();
  }

  std::uint16_t port() const { return port_; }
  std::string url() const {
    const std::string credentials =
        user_.empty() ? "" : percent_encoded(user_) + ":" + percent_encoded(password_) + "@";
    return "http://" + credentials + "127.0.0.1:" + std::to_string(port_);
  }
  const std::vector<std::string>& tunnels() const { return tunnels_; }
  std::uint64_t refused() const { return refused_; }

 private:
  void accept() {
    acceptor_.async_accept([this](error_code failure, tcp::socket client) {
      if (failure == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (!failure) read_head(std::make_shared<Guest>(std::move(client)));
      accept();
    });
  }

  void read_head(const std::shared_ptr<Guest>& guest) {
    guests_.push_back(guest);
    asio::async_read_until(guest->socket, asio::dynamic_buffer(guest->head, largest_head), "\r\n\r\n",
                           [this, guest](error_code failure, std::size_t) {
                             if (!failure) decide(guest);
                           });
  }

  void decide(const std::shared_ptr<Guest>& guest) {
    const std::string target = target_of(guest->head);
    const bool known = user_.empty() || guest->head.find("Proxy-Authorization: " + basic(user_, password_) + "\r\n") !=
                                            std::string::npos;
    const std::size_t colon = target.rfind(':');
    const bool local = target.substr(0, colon) == "127.0.0.1";
    if (!known || !local) {
      ++refused_;
      return answer(guest, known ? refuses : wants_credentials, [](const auto&) {});
    }
    tunnels_.push_back(target);
    const tcp::endpoint server(asio::ip::address_v4::loopback(),
                               static_cast<std::uint16_t>(std::stoi(target.substr(colon + 1))));
    answer(guest, established, [this, server](const std::shared_ptr<Guest>& there) {
      connections_.push_back(
          std::make_shared<ChaosConnection>(std::move(there->socket), tcp::socket(io_), [](std::size_t) {}));
      connections_.back()->start(server, Treatment::pass);
    });
  }

  template <class Then>
  void answer(const std::shared_ptr<Guest>& guest, const char* text, Then then) {
    asio::async_write(guest->socket, asio::buffer(std::string_view(text)),
                      [guest, then](error_code failure, std::size_t) {
                        if (!failure) then(guest);
                      });
  }

  const std::string user_;
  const std::string password_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  std::vector<std::weak_ptr<Guest>> guests_;
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
  return impl_->on_thread([this] { return impl_->tunnels(); });
}
std::uint64_t ConnectProxy::refused() const {
  return impl_->on_thread([this] { return impl_->refused(); });
}
void ConnectProxy::cut() {
  impl_->on_thread([this] { impl_->reset_all(); });
}

}  // namespace ksr::clustertest

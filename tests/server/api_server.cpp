#include "server/api_server.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <condition_variable>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "server/channel.hpp"
#include "server/connection.hpp"

namespace ksr::testserver {

using boost::asio::ip::tcp;

class ApiServer::Impl {
 public:
  explicit Impl(ServerOptions options) : work_(io_.get_executor()), world_(io_, std::move(options)) {
    if (world_.options().tls) make_tls();
    listen(tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), world_.options().port));
    port_ = acceptors_.front()->local_endpoint().port();
    try {
      if (world_.options().ipv6) listen(tcp::endpoint(boost::asio::ip::make_address("::1"), port_));
    } catch (const boost::system::system_error&) {
      // A machine without IPv6.
    }
    world_.on_quit = [this] { announce_end(); };
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Impl() {
    boost::asio::post(io_, [this] { world_.drop_connections(false); });
    work_.reset();
    io_.stop();
    thread_.join();
    if (!ca_file_.empty()) unlink(ca_file_.c_str());
  }

  void run(const std::function<void(World&)>& work) {
    std::promise<void> done;
    boost::asio::post(io_, [&] {
      std::exception_ptr thrown;
      try {
        work(world_);
      } catch (...) {
        thrown = std::current_exception();
      }
      if (thrown == nullptr) {
        done.set_value();
      } else {
        done.set_exception(std::move(thrown));
      }
    });
    done.get_future().get();
  }

  void script(const std::string& lines) {
    const auto done = std::make_shared<std::promise<std::string>>();
    boost::asio::post(io_, [this, lines, done] {
      world_.run_script(lines, [done](const std::string& problem) { done->set_value(problem); });
    });
    const std::string problem = done->get_future().get();
    if (!problem.empty()) throw std::runtime_error("script: " + problem);
  }

  void announce_end() {
    const std::lock_guard<std::mutex> lock(end_mutex_);
    ended_ = true;
    end_.notify_all();
  }
  void wait() {
    std::unique_lock<std::mutex> lock(end_mutex_);
    end_.wait(lock, [this] { return ended_; });
  }

  std::uint16_t port_ = 0;
  testing::CertificateAuthority authority_;
  std::string ca_file_;
  bool tls() { return tls_.has_value(); }
  const std::string& path_prefix() { return world_.options().path_prefix; }

 private:
  void make_tls() {
    std::vector<std::string> names = world_.options().server_names;
    if (world_.options().default_names) names.insert(names.end(), {"localhost", "127.0.0.1", "::1"});
    const testing::CertificateAndKey credential = authority_.server(names);
    tls_.emplace(boost::asio::ssl::context::tls_server);
    tls_->use_certificate_chain(boost::asio::buffer(credential.certificate_pem));
    tls_->use_private_key(boost::asio::buffer(credential.key_pem), boost::asio::ssl::context::pem);
    tls_->add_certificate_authority(boost::asio::buffer(authority_.certificate_pem()));
    // Without it OpenSSL refuses clients that resume a session where client certificates are asked for.
    SSL_CTX_set_session_id_context(tls_->native_handle(), reinterpret_cast<const unsigned char*>("ksr"), 3);
    const bool required = world_.options().require_client_certificate;
    tls_->set_verify_mode(required ? boost::asio::ssl::verify_peer | boost::asio::ssl::verify_fail_if_no_peer_cert
                                   : boost::asio::ssl::verify_peer);
    char path[] = "/tmp/ksr-test-ca-XXXXXX";
    const int file = mkstemp(path);
    if (file < 0) throw std::runtime_error("cannot create a temporary file for the CA");
    const std::string& pem = authority_.certificate_pem();
    const bool written = write(file, pem.data(), pem.size()) == static_cast<ssize_t>(pem.size());
    close(file);
    if (!written) throw std::runtime_error("cannot write the CA to its temporary file");
    ca_file_ = path;
  }

  void listen(const tcp::endpoint& endpoint) {
    acceptors_.push_back(std::make_unique<tcp::acceptor>(io_, endpoint));
    accept(*acceptors_.back());
  }

  void accept(tcp::acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](const boost::system::error_code& failure, tcp::socket socket) {
      if (failure == boost::asio::error::operation_aborted) return;
      if (!failure) {
        boost::system::error_code already_gone;
        socket.set_option(tcp::no_delay(true), already_gone);
        auto channel = tls_ ? Channel::tls(std::move(socket), *tls_) : Channel::plain(std::move(socket));
        const auto connection = std::make_shared<Connection>(world_, io_, std::move(channel));
        world_.add(connection);
        connection->start();
      }
      accept(acceptor);
    });
  }

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::optional<boost::asio::ssl::context> tls_;
  World world_;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors_;
  std::thread thread_;
  std::mutex end_mutex_;
  std::condition_variable end_;
  bool ended_ = false;
};

ApiServer::ApiServer(ServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
ApiServer::~ApiServer() = default;

std::uint16_t ApiServer::port() const {
  return impl_->port_;
}

std::string ApiServer::url() const {
  return std::string(impl_->tls() ? "https" : "http") + "://127.0.0.1:" + std::to_string(port()) + impl_->path_prefix();
}

const std::string& ApiServer::ca_pem() const {
  return impl_->authority_.certificate_pem();
}

std::string ApiServer::ca_file() const {
  return impl_->ca_file_;
}

testing::CertificateAndKey ApiServer::client_certificate(const std::string& user) const {
  return impl_->authority_.client(user);
}

void ApiServer::script(const std::string& lines) {
  impl_->script(lines);
}

void ApiServer::run(const std::function<void(World&)>& work) {
  impl_->run(work);
}

std::vector<RecordedRequest> ApiServer::requests() {
  std::vector<RecordedRequest> copy;
  run([&](World& world) { copy = world.requests(); });
  return copy;
}

std::vector<RecordedStream> ApiServer::streams() {
  std::vector<RecordedStream> copy;
  run([&](World& world) {
    for (const auto& stream : world.streams().recorded) copy.push_back(*stream);
  });
  return copy;
}

std::size_t ApiServer::count_requests(const std::string& verb) {
  std::size_t count = 0;
  for (const RecordedRequest& request : requests()) count += request.verb == verb ? 1 : 0;
  return count;
}

std::size_t ApiServer::open_watches(const std::string& plural) {
  std::size_t count = 0;
  run([&](World& world) { count = world.open_watches(plural); });
  return count;
}

std::uint64_t ApiServer::revision() {
  std::uint64_t revision = 0;
  run([&](World& world) { revision = world.log().revision(); });
  return revision;
}

std::map<std::string, std::string> ApiServer::contents(const std::string& resource) {
  std::map<std::string, std::string> contents;
  run([&](World& world) {
    const ResourceType* type = world.types().find_by_word(resource);
    if (type == nullptr) throw std::runtime_error("unknown resource " + resource);
    world.log().collection(*type).visit(world.log().revision(), "", [&](const ObjectPtr& object) {
      contents[object->uid] = std::to_string(object->revision);
      return true;
    });
  });
  return contents;
}

void ApiServer::wait() {
  impl_->wait();
}

void ApiServer::stop() {
  impl_->announce_end();
}

}  // namespace ksr::testserver

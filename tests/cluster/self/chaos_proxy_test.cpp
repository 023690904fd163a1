#include "cluster/harness/chaos_proxy.hpp"

#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

// A client and a server with the proxy between them, all driven from the test's thread.
class Line {
 public:
  Line() : client_(connect()), server_(acceptor_.accept()) {}

  ChaosProxy& proxy() { return proxy_; }
  tcp::socket& client() { return client_; }
  tcp::socket& server() { return server_; }

  tcp::socket connect() {
    tcp::socket socket(io_);
    socket.connect({asio::ip::address_v4::loopback(), proxy_.port()});
    return socket;
  }
  tcp::socket accept() { return acceptor_.accept(); }

 private:
  asio::io_context io_;
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  ChaosProxy proxy_{acceptor_.local_endpoint().port()};
  tcp::socket client_;
  tcp::socket server_;
};

void send(tcp::socket& socket, const std::string& text) {
  asio::write(socket, asio::buffer(text));
}

std::string receive(tcp::socket& socket, std::size_t size) {
  std::string text(size, '\0');
  asio::read(socket, asio::buffer(text));
  return text;
}

// Everything up to the end of the stream, and how it ended.
std::pair<std::string, error_code> drain(tcp::socket& socket) {
  std::string text;
  error_code ending;
  asio::read(socket, asio::dynamic_buffer(text), ending);
  return {text, ending};
}

// Silence cannot be proven, only watched for a while.
bool silent(tcp::socket& socket) {
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return socket.available() == 0;
}

}  // namespace

TEST_CASE("bytes pass in both directions, and so does the end") {
  Line line;
  send(line.client(), "ping");
  CHECK(receive(line.server(), 4) == "ping");
  send(line.server(), "pong!");
  line.server().shutdown(tcp::socket::shutdown_send);
  const auto [text, ending] = drain(line.client());
  CHECK(text == "pong!");
  CHECK(ending == asio::error::eof);
  CHECK(line.proxy().accepted() == 1);
  CHECK(line.proxy().bytes_from_server() == 5);
}

TEST_CASE("a cut resets both sides") {
  Line line;
  send(line.client(), "x");
  receive(line.server(), 1);
  line.proxy().cut();
  CHECK(drain(line.client()).second == asio::error::connection_reset);
  CHECK(drain(line.server()).second == asio::error::connection_reset);
  CHECK(line.proxy().open_connections() == 0);
}

TEST_CASE("a counted cut lets exactly so many bytes through") {
  Line line;
  line.proxy().cut_after(3);
  send(line.server(), "ab");
  CHECK(receive(line.client(), 2) == "ab");
  send(line.server(), "cdef");
  CHECK(receive(line.client(), 1) == "c");
  CHECK(drain(line.client()) == std::pair<std::string, error_code>("", asio::error::connection_reset));
}

TEST_CASE("a stall holds bytes back and loses none") {
  Line line;
  line.proxy().stall();
  send(line.server(), "held");
  line.server().shutdown(tcp::socket::shutdown_send);
  tcp::socket newcomer = line.connect();
  tcp::socket newcomer_at_server = line.accept();
  send(newcomer, "also");
  CHECK(silent(line.client()));
  CHECK(silent(newcomer_at_server));
  line.proxy().pass();
  CHECK(drain(line.client()).first == "held");
  CHECK(receive(newcomer_at_server, 4) == "also");
}

TEST_CASE("a blackholed connection stays dead, a new one is served") {
  Line line;
  line.proxy().blackhole();
  send(line.server(), "lost");
  CHECK(silent(line.client()));
  line.proxy().pass();
  send(line.server(), "lost too");
  line.server().close();
  CHECK(silent(line.client()));
  tcp::socket newcomer = line.connect();
  tcp::socket newcomer_at_server = line.accept();
  send(newcomer, "hello");
  CHECK(receive(newcomer_at_server, 5) == "hello");
  line.client().close();
  newcomer.close();
  newcomer_at_server.close();
  wait_until("the proxy to forget closed connections", [&] { return line.proxy().open_connections() == 0; });
}

TEST_CASE("refused connections are refused until the proxy passes again") {
  Line line;
  line.proxy().refuse();
  CHECK_THROWS_AS(line.connect(), boost::system::system_error);
  send(line.client(), "old");
  CHECK(receive(line.server(), 3) == "old");
  line.proxy().pass();
  CHECK_NOTHROW(line.connect());
}

TEST_CASE("a target that is not there ends the connection") {
  Line line;
  ChaosProxy nowhere(1);
  asio::io_context io;
  tcp::socket socket(io);
  socket.connect({asio::ip::address_v4::loopback(), nowhere.port()});
  CHECK(drain(socket).second == asio::error::connection_reset);
}

TEST_CASE("a client of the real apiserver survives a cut of its kept connection") {
  Cluster& cluster = Cluster::shared();
  ChaosProxy proxy(cluster.port());
  ApiClient api(Endpoint{proxy.port(), cluster.ca_file()}, admin_user().token);
  CHECK(api.request("GET", "/readyz").status == 200);
  CHECK(api.request("GET", "/readyz").status == 200);
  CHECK(proxy.accepted() == 1);
  proxy.cut();
  CHECK(api.request("GET", "/readyz").status == 200);
  CHECK(proxy.accepted() == 2);
  proxy.refuse();
  proxy.cut();
  CHECK_THROWS_AS(api.request("GET", "/readyz"), HarnessError);
}

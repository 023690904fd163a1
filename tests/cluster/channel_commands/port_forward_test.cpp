// ksr port-forward beside kubectl's: what it says, data, connections and pods that fail.
#include <doctest/doctest.h>
#include <signal.h>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <memory>
#include <thread>

#include <boost/json/parse.hpp>

#include "cluster/channel_commands/programs.hpp"
#include "cluster/harness/echo_server.hpp"
#include "cluster/harness/free_port.hpp"
#include "cluster/harness/node_pod.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// A connection to a port of this machine.
class Peer {
 public:
  explicit Peer(std::uint16_t port, const char* address = "127.0.0.1") {
    socket_.connect({asio::ip::make_address(address), port});
  }
  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  std::string receive(std::size_t size) {
    std::string bytes(size, '\0');
    boost::system::error_code ended;
    bytes.resize(asio::read(socket_, asio::buffer(bytes), ended));
    return bytes;
  }
  // Until the other side's end; empty and an error where it has broken off.
  std::string receive_all(boost::system::error_code& ended) {
    std::string bytes;
    asio::read(socket_, asio::dynamic_buffer(bytes), ended);
    return bytes;
  }
  bool echoes(const std::string& text) {
    send(text);
    return receive(text.size()) == text;
  }
  void reset() {
    socket_.set_option(asio::socket_base::linger(true, 0));
    socket_.close();
  }
  void half_close() { socket_.shutdown(tcp::socket::shutdown_send); }

 private:
  asio::io_context io_;
  tcp::socket socket_{io_};
};

// The local port of the nth line "Forwarding from ADDRESS:PORT -> REMOTE".
std::uint16_t local_port(StartedProgram& program, int nth = 0) {
  const std::string text = program.output();
  std::size_t at = 0;
  for (int i = 0; i <= nth; ++i) at = text.find("Forwarding from ", at) + 1;
  const std::size_t end = text.find(" -> ", at);
  const std::size_t colon = text.rfind(':', end);
  return static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)));
}

std::string arrow(std::uint16_t remote) {
  return " -> " + std::to_string(remote) + "\n";
}

// What both say of their ports, with the local ones, which are free ones, left out.
void same_forwarding(const std::string& ns, const Words& words, const std::string& last) {
  std::string said[2];
  for (const bool by_ksr : {false, true}) {
    StartedProgram program(by_ksr ? ksr_command(ns, words) : kubectl_command(ns, words),
                           StartedProgram::Input::content);
    program.wait_for_output(last);
    for (const char c : program.output()) {
      if (c < '0' || c > '9') said[by_ksr] += c;
    }
  }
  CHECK(said[1] == said[0]);
}

void create_service(const std::string& ns, const std::string& name, const std::string& ports) {
  const boost::json::value service =
      boost::json::parse(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":")" + name +
                         R"("},"spec":{"selector":{"app":"web"},"ports":)" + ports + "}}");
  Cluster::shared().admin().create("/api/v1/namespaces/" + ns + "/services", service.get_object());
}

void create_deployment(const std::string& ns) {
  const boost::json::value deployment = boost::json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment",
"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"app":"web"}},
"template":{"metadata":{"labels":{"app":"web"}},"spec":{"containers":[{"name":"main","image":"x"}]}}}})");
  Cluster::shared().admin().create("/apis/apps/v1/namespaces/" + ns + "/deployments", deployment.get_object());
}

NodePodOptions with_port(std::uint16_t port) {
  const boost::json::object named{{"name", "http"}, {"containerPort", port}};
  return {{"main"}, {{"app", "web"}}, {{"ports", boost::json::array{named}}}};
}

}  // namespace

TEST_CASE("port-forward: what it says, and data in both directions") {
  const std::string ns = Cluster::shared().fresh_namespace("forward");
  EchoServer echo;
  NodePod pod(shared_node(), ns, "web", with_port(echo.port()));
  const std::string remote = std::to_string(echo.port());
  same_forwarding(ns, {"port-forward", "web", ":" + remote}, arrow(echo.port()));
  same_forwarding(ns, {"port-forward", "pod/web", "--address=127.0.0.1", ":http", ":" + remote}, arrow(echo.port()));
  StartedProgram program(ksr_command(ns, {"port-forward", "web", ":" + remote}), StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  const std::uint16_t local = local_port(program);
  Peer peer(local);
  CHECK(peer.echoes("through it"));
  program.wait_for_output("Handling connection for " + std::to_string(local) + "\n");
  // More than any buffer holds, while the other direction is read as well.
  std::string bytes(8'000'000, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 2654435761U >> 24);
  std::thread sender([&] { peer.send(bytes); });
  const bool same = peer.receive(bytes.size()) == bytes;
  sender.join();
  CHECK(same);
  // Many at once; one of them breaks off.
  std::list<std::unique_ptr<Peer>> peers;
  for (int i = 0; i < 20; ++i) peers.push_back(std::make_unique<Peer>(local));
  for (const auto& one : peers) one->send("all at once");
  peers.pop_front();
  for (const auto& one : peers) CHECK(one->receive(11) == "all at once");
  CHECK(peer.echoes("and the first one"));
  // Of IPv6, where the machine has it.
  if (program.output().find("Forwarding from [::1]:") != std::string::npos) CHECK(Peer(local, "::1").echoes("six"));
  program.signal(SIGINT);
  CHECK(program.wait() == 0);
  CHECK(program.errors() == "");
}

TEST_CASE("port-forward: ports that cannot be forwarded") {
  const std::string ns = Cluster::shared().fresh_namespace("forward-wrong");
  NodePod pod(shared_node(), ns, "web");
  NodePod pending(shared_node(), ns, "pending");
  Cluster::shared().admin().patch_status(pending.path(), {{"phase", "Pending"}});
  create_deployment(ns);
  EchoServer busy;
  const std::string taken = std::to_string(busy.port());
  for (const Words& words :
       {Words{"port-forward"}, Words{"port-forward", "web"}, Words{"port-forward", "web", "x:80"},
        Words{"port-forward", "web", "80:"}, Words{"port-forward", "web", ":70000"}, Words{"port-forward", "web", ":0"},
        Words{"port-forward", "web", ":none"}, Words{"port-forward", "none", ":80"},
        Words{"port-forward", "pending", ":80"}, Words{"port-forward", "web", "--address=nowhere", ":80"},
        Words{"port-forward", "web", "--address=127.0.0.1", taken + ":80"},
        Words{"port-forward", "deploy/web", "--pod-running-timeout=1s", ":80"}}) {
    run_both(ns, words);
  }
}

TEST_CASE("port-forward: of several ports those that can be listened on") {
  const std::string ns = Cluster::shared().fresh_namespace("forward-some");
  EchoServer echo;
  NodePod pod(shared_node(), ns, "web", with_port(echo.port()));
  EchoServer busy;
  const std::string taken = std::to_string(busy.port());
  StartedProgram program(
      ksr_command(ns, {"port-forward", "web", "--address=127.0.0.1", taken + ":80", ":" + std::to_string(echo.port())}),
      StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  CHECK(Peer(local_port(program)).echoes("through the other"));
  program.signal(SIGINT);
  CHECK(program.wait() == 1);
  CHECK(program.errors() == "error: unable to listen on 127.0.0.1 port " + taken + ": Address already in use\n");
  run_both(ns, {"port-forward", "web", "--address=127.0.0.1", taken + ":80", taken + ":81"});
}

TEST_CASE("port-forward: a refused port fails a connection, not the listener") {
  const std::string ns = Cluster::shared().fresh_namespace("forward-refused");
  NodePod pod(shared_node(), ns, "web");
  EchoServer echo;
  const std::uint16_t dead = free_port();
  StartedProgram program(ksr_command(ns, {"port-forward", "web", "--address=127.0.0.1", ":" + std::to_string(dead),
                                          ":" + std::to_string(echo.port())}),
                         StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  const std::uint16_t to_dead = local_port(program, 0);
  const std::uint16_t to_echo = local_port(program, 1);
  for (int i = 0; i < 3; ++i) {
    boost::system::error_code ended;
    CHECK(Peer(to_dead).receive_all(ended).empty());
    // Broken off, not ended: no client takes it for an answer.
    CHECK(ended == asio::error::connection_reset);
    CHECK(Peer(to_echo).echoes("alive"));
  }
  program.wait_for_errors("connection refused");
  EchoServer late(dead);
  CHECK(Peer(to_dead).echoes("now it is there"));
  CHECK(program.running());
}

TEST_CASE("port-forward: more connections than descriptors") {
  const std::string ns = Cluster::shared().fresh_namespace("forward-many");
  NodePod pod(shared_node(), ns, "web");
  EchoServer echo;
  StartedProgram program(
      shell(ns, "ulimit -n 40; exec $ksr port-forward web --address=127.0.0.1 :" + std::to_string(echo.port())),
      StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  const std::uint16_t local = local_port(program);
  {
    std::list<Peer> peers;
    for (int i = 0; i < 60; ++i) peers.emplace_back(local);
    // Of the descriptors, or of what a channel needs beyond its own.
    program.wait_for_errors("Too many open files");
    for (Peer& peer : peers) peer.reset();
  }
  wait_until("a connection to be forwarded again", [&] {
    try {
      return Peer(local).echoes("again");
    } catch (const boost::system::system_error&) {
      return false;
    }
  });
  CHECK(program.running());
}

TEST_CASE("port-forward: a side that ends, a connection whose node dies") {
  NodeOptions options;
  options.containerd = true;
  Node node(Cluster::shared(), options);
  const std::string ns = Cluster::shared().fresh_namespace("forward-ends");
  NodePod pod(node, ns, "web");
  EchoServer echo;
  StartedProgram program(ksr_command(ns, {"port-forward", "web", ":" + std::to_string(echo.port())}),
                         StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  const std::uint16_t local = local_port(program);
  {
    Peer peer(local);
    CHECK(peer.echoes("first"));
    // What is still on its way arrives after the local side's last byte.
    peer.send("last");
    peer.half_close();
    CHECK(peer.receive(4) == "last");
  }
  Peer cut(local);
  CHECK(cut.echoes("before"));
  node.kill();
  boost::system::error_code ended;
  CHECK(cut.receive_all(ended).empty());
  CHECK(ended == asio::error::connection_reset);
  node.start();
  CHECK(Peer(local).echoes("after"));
  CHECK(program.running());
}

TEST_CASE("port-forward to a service: its port leads to the pod's") {
  const std::string ns = Cluster::shared().fresh_namespace("forward-service");
  EchoServer echo;
  NodePod pod(shared_node(), ns, "web-1", with_port(echo.port()));
  create_service(ns, "named", R"([{"name":"web","port":80,"targetPort":"http"}])");
  create_service(ns, "number", R"([{"port":81,"targetPort":)" + std::to_string(echo.port()) + "}]");
  same_forwarding(ns, {"port-forward", "service/named", ":80"}, arrow(echo.port()));
  same_forwarding(ns, {"port-forward", "svc/named", ":web"}, arrow(echo.port()));
  same_forwarding(ns, {"port-forward", "svc/number", ":81"}, arrow(echo.port()));
  run_both(ns, {"port-forward", "svc/named", ":82"});
  run_both(ns, {"port-forward", "svc/none", ":82"}, "", Compare::errors);
  StartedProgram program(ksr_command(ns, {"port-forward", "svc/named", ":80"}), StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  CHECK(Peer(local_port(program)).echoes("through the service"));
}

TEST_CASE("port-forward to a deployment: the pod is replaced, and is gone for a while") {
  const std::string ns = Cluster::shared().fresh_namespace("forward-replaced");
  EchoServer echo;
  create_deployment(ns);
  auto first = std::make_unique<NodePod>(shared_node(), ns, "web-1", with_port(echo.port()));
  StartedProgram program(ksr_command(ns, {"port-forward", "deployment/web", ":http"}), StartedProgram::Input::content);
  program.wait_for_output(arrow(echo.port()));
  const std::uint16_t local = local_port(program);
  Peer held(local);
  CHECK(held.echoes("the first"));
  NodePod second(shared_node(), ns, "web-2", with_port(echo.port()));
  first->erase();
  CHECK(Peer(local).echoes("the second"));
  program.wait_for_errors("Forwarding to pod/web-2 of deployment.apps/web now");
  // The connection to the old one lives as long as its container.
  CHECK(held.echoes("still there"));
  second.erase();
  // This one waits for a pod.
  Peer waiting(local);
  waiting.send("patience");
  NodePod third(shared_node(), ns, "web-3", with_port(echo.port()));
  CHECK(waiting.receive(8) == "patience");
  program.wait_for_errors("Forwarding to pod/web-3 of deployment.apps/web now");
  program.signal(SIGTERM);
  CHECK(program.wait() == 128 + SIGTERM);
}

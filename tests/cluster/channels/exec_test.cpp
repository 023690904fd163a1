// exec, attach and port-forward on the real CRI streaming server behind the real kube-apiserver.
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/array.hpp>
#include <random>
#include <thread>

#include "cluster/channels/on_node.hpp"
#include "cluster/harness/chaos_proxy.hpp"
#include "cluster/harness/free_port.hpp"
#include "cluster/harness/objects.hpp"
#include "cluster/harness/text_files.hpp"
#include "cluster/harness/wait.hpp"

using namespace ksr::clustertest;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t kWholeFile = std::size_t{1} << 20;

struct Outcome {
  ChannelEnd end;
  std::string out;
  std::string err;
  std::uint64_t verified = 0;
  std::uint64_t protocol = 0;
};

Outcome run(const Requester& client, const Settings& settings) {
  ChannelUser user;
  REQUIRE(user.open(client.client(), settings) == KSR_OK);
  Outcome outcome;
  outcome.end = user.wait();
  outcome.out = user.bytes(KSR_PART_STDOUT);
  outcome.err = user.bytes(KSR_PART_STDERR);
  outcome.verified = user.stat("exit_verified");
  outcome.protocol = user.stat("protocol");
  user.close();
  CHECK(user.violations() == std::vector<std::string>{});
  return outcome;
}

std::string fresh_namespace() {
  return Cluster::shared().fresh_namespace("channels");
}

// Sends one answer on each connection once it has read a line, then ends its direction.
class LineServer {
 public:
  LineServer() : thread_([this] { serve(); }) {}
  ~LineServer() {
    boost::system::error_code ignored;
    stopping_ = true;
    tcp::socket wake(io_);
    wake.connect(acceptor_.local_endpoint(), ignored);
    wake.close(ignored);
    thread_.join();
  }
  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

 private:
  void serve() {
    for (;;) {
      tcp::socket socket = acceptor_.accept();
      if (stopping_) return;
      boost::system::error_code ended;
      char space[1'000];
      std::string line;
      while (!ended && line.find('\n') == std::string::npos) {
        line.append(space, socket.read_some(asio::buffer(space), ended));
      }
      if (ended) continue;
      asio::write(socket, asio::buffer("answer to " + line), ended);
      socket.shutdown(tcp::socket::shutdown_send, ended);
    }
  }

  asio::io_context io_;
  tcp::acceptor acceptor_{io_, {asio::ip::address_v4::loopback(), 0}};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

void allow(const User& user, const std::string& ns, const std::string& resource,
           const std::vector<std::string>& verbs) {
  const std::string rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/" + ns;
  boost::json::object role = make_reader_role(ns, "streams-of-" + user.name, "", resource);
  boost::json::array list;
  for (const std::string& verb : verbs) list.push_back(boost::json::string(verb));
  role["rules"].as_array()[0].as_object()["verbs"] = list;
  ApiClient& admin = Cluster::shared().admin();
  if (admin.find(rbac + "/roles/streams-of-" + user.name)) {
    admin.replace(rbac + "/roles/streams-of-" + user.name, role);
  } else {
    admin.create(rbac + "/roles", role);
    admin.create(rbac + "/rolebindings", make_role_binding(ns, "streams-of-" + user.name, user.name));
  }
}

}  // namespace

TEST_CASE("exit codes, output and errors of real processes, over each protocol") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  for (const char* protocol : {"auto", "v4", "v5"}) {
    CAPTURE(protocol);
    const Settings chosen{{"exec_protocol", protocol}};
    for (const int code : {0, 1, 7, 255}) {
      CAPTURE(code);
      const Outcome outcome = run(client, shell(pod, "echo out; echo err >&2; exit " + std::to_string(code), chosen));
      CHECK(outcome.end.status == KSR_OK);
      CHECK(outcome.end.exit_code == code);
      CHECK(outcome.out == "out\n");
      CHECK(outcome.err == "err\n");
      CHECK(outcome.protocol == (std::string(protocol) == "v5" ? 5 : 4));
      CHECK(outcome.verified == (code == 0 && outcome.protocol == 5 ? 0 : 1));
    }
    CHECK(run(client, shell(pod, "kill -9 $$", chosen)).end.exit_code == 137);
    const Outcome missing =
        run(client, of_pod(pod, "exec", {{"command", "/no/such/program"}, {"exec_protocol", protocol}}));
    CHECK(missing.end.status < KSR_OK);
    CHECK_FALSE(missing.end.exit_code.has_value());
    CHECK(has(missing.end.message, "no such file"));
  }
}

TEST_CASE("stdin ends where it can, and all of a long output comes before the code") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  const std::string text(3'000'000, 'x');
  ChannelUser cat;
  REQUIRE(cat.open(client.client(), shell(pod, "cat; exit 3", {{"stdin", "true"}})) == KSR_OK);
  CHECK(cat.write_all(KSR_PART_STDIN, text) == KSR_OK);
  CHECK(ksr_channel_finish(cat.channel(), KSR_PART_STDIN) == KSR_OK);
  CHECK(cat.wait().exit_code == 3);
  CHECK(cat.bytes(KSR_PART_STDOUT) == text);
  const Outcome flood = run(client, shell(pod, "yes | head -c 20000000; exit 4"));
  CHECK(flood.end.exit_code == 4);
  CHECK(flood.out.size() == 20'000'000);
}

TEST_CASE("a host at rest slows the process and loses nothing") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  ChannelUser user;
  std::atomic<bool> takes{false};
  user.taking = [&](ksr_channel*, std::int32_t, const std::string& bytes) { return takes ? bytes.size() : 0; };
  REQUIRE(user.open(client.client(), shell(pod, "yes | head -c 50000000; exit 6", {{"receive_buffer", "64Ki"}})) ==
          KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return now.stat("bytes_received") > 0; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  CHECK(user.stat("bytes_received") < 1'000'000);
  takes = true;
  CHECK(ksr_channel_resume(user.channel(), KSR_PART_STDOUT) == KSR_OK);
  CHECK(user.wait().exit_code == 6);
  CHECK(user.bytes(KSR_PART_STDOUT).size() == 50'000'000);
}

TEST_CASE("a process that does not read its input is not taken for a dead server") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  ChannelUser user;
  REQUIRE(
      user.open(
          client.client(),
          shell(pod, "sleep 1; head -c 4000000 | wc -c",
                {{"stdin", "true"}, {"exec_protocol", "v4"}, {"ping_interval", "100ms"}, {"pong_timeout", "200ms"}})) ==
      KSR_OK);
  CHECK(user.write_all(KSR_PART_STDIN, std::string(4'000'000, 'x')) == KSR_OK);
  CHECK(user.wait().exit_code == 0);
  CHECK(has(user.bytes(KSR_PART_STDOUT), "4000000"));
}

TEST_CASE("a terminal: its size, its one output, what is typed") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  ChannelUser user;
  const std::string script = "stty size; read line; stty size; echo \"read $line\" >&2; exit 5";
  REQUIRE(user.open(client.client(),
                    shell(pod, script, {{"stdin", "true"}, {"tty", "true"}, {"columns", "80"}, {"rows", "24"}})) ==
          KSR_OK);
  CHECK(user.wait_until([](const ChannelUser& now) { return has(now.bytes(KSR_PART_STDOUT), "\n"); }));
  CHECK(ksr_channel_resize(user.channel(), 132, 43) == KSR_OK);
  // A resize and what is typed go different ways in the server.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  CHECK(user.write_all(KSR_PART_STDIN, "typed\n") == KSR_OK);
  CHECK(user.wait().exit_code == 5);
  const std::string out = user.bytes(KSR_PART_STDOUT);
  CHECK(has(out, "43 132"));
  CHECK(has(out, "read typed"));
}

TEST_CASE("attach: what is written comes back, sizes arrive, the container's end is orderly") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  ChannelUser user;
  REQUIRE(user.open(client.client(),
                    of_pod(pod, "attach", {{"stdin", "true"}, {"tty", "true"}, {"columns", "80"}, {"rows", "24"}})) ==
          KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "size 80x24\r\n"));
  CHECK(user.write_all(KSR_PART_STDIN, "hello") == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "size 80x24\r\nhello"));
  pod.terminate(0);
  const ChannelEnd end = user.wait();
  CHECK(end.status == KSR_OK);
  CHECK_FALSE(end.exit_code.has_value());
}

TEST_CASE("attach without stdin lasts until the container ends, with a terminal and without") {
  for (const char* tty : {"false", "true"}) {
    CAPTURE(tty);
    NodePod pod(shared_node(), fresh_namespace(), "web");
    const Requester client(on_cluster());
    ChannelUser user;
    REQUIRE(user.open(client.client(), of_pod(pod, "attach", {{"tty", tty}})) == KSR_OK);
    CHECK(user.wait_for_event(KSR_EVENT_OPEN));
    CHECK(ksr_channel_wait(user.channel(), 1'000, nullptr, nullptr) == KSR_E_TIMEOUT);
    pod.terminate(0);
    CHECK(user.wait().status == KSR_OK);
  }
}

TEST_CASE("a killed kubelet: v4 says KSR_E_LOST; what v5 says is not verified") {
  Node node(Cluster::shared());
  NodePod pod(node, fresh_namespace(), "web");
  const Requester client(on_cluster());
  for (const char* protocol : {"v4", "v5"}) {
    CAPTURE(protocol);
    ChannelUser user;
    REQUIRE(user.open(client.client(), shell(pod, "echo begun; sleep 60", {{"exec_protocol", protocol}})) == KSR_OK);
    CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "begun\n"));
    ChannelUser attached;
    REQUIRE(attached.open(client.client(), of_pod(pod, "attach", {{"stdin", "true"}, {"exec_protocol", "v4"}})) ==
            KSR_OK);
    CHECK(attached.wait_for_event(KSR_EVENT_OPEN));
    node.kill();
    const ChannelEnd end = user.wait();
    if (std::string(protocol) == "v4") {
      CHECK(end.status == KSR_E_LOST);
      CHECK_FALSE(end.exit_code.has_value());
    }
    CHECK(user.stat("exit_verified") == 0);
    CHECK(attached.wait().status == KSR_E_LOST);
    const Outcome refused = run(client, shell(pod, "true"));
    CHECK(refused.end.status < KSR_OK);
    node.start();
    CHECK(run(client, shell(pod, "exit 9")).end.exit_code == 9);
  }
}

TEST_CASE("the runtime's idle limit ends a quiet command unknown, not well") {
  NodeOptions options;
  options.idle_timeout = std::chrono::milliseconds(700);
  Node node(Cluster::shared(), options);
  NodePod pod(node, fresh_namespace(), "web");
  const Requester client(on_cluster());
  const Outcome outcome = run(client, shell(pod, "echo begun; sleep 15", {{"ping_interval", "100ms"}}));
  CHECK(outcome.end.status == KSR_E_LOST);
  CHECK(outcome.out == "begun\n");
}

TEST_CASE("exec needs get and create on pods/exec") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const User user = unprivileged_user();
  const Requester client(on_cluster(user));
  const Settings settings = shell(pod, "exit 8", {{"container", "main"}});
  for (const std::vector<std::string>& verbs : {std::vector<std::string>{"get"}, {"create"}}) {
    CAPTURE(verbs[0]);
    allow(user, pod.ns(), "pods/exec", verbs);
    const Outcome refused = run(client, settings);
    CHECK(refused.end.status == KSR_E_FORBIDDEN);
    CHECK(refused.end.http_status == 403);
  }
  allow(user, pod.ns(), "pods/exec", {"get", "create"});
  wait_until("the role", [&] { return run(client, settings).end.exit_code == 8; });
}

TEST_CASE("cut at random bytes: the code and all of the output, or unknown; nothing is run twice") {
  NodePod pod(shared_node(), fresh_namespace(), "web");
  ChaosProxy proxy(Cluster::shared().port());
  const Requester client(on_cluster(admin_user(), proxy.port()));
  const std::filesystem::path runs = Cluster::shared().directory() / ("runs-of-" + pod.ns());
  const std::string script = "echo run >> " + runs.string() + "; echo hello; exit 3";
  std::mt19937 random(14);
  std::size_t opened = 0;
  std::size_t known = 0;
  for (int i = 0; i < 60; ++i) {
    const std::uint64_t before = proxy.accepted();
    ChannelUser user;
    REQUIRE(user.open(client.client(), shell(pod, script, {{"container", "main"}})) == KSR_OK);
    ++opened;
    wait_until("the connection", [&] { return proxy.accepted() > before; });
    proxy.cut_after(std::uniform_int_distribution<std::uint64_t>(1, 1'000)(random));
    const ChannelEnd end = user.wait();
    if (end.status == KSR_OK) {
      CHECK(end.exit_code == 3);
      CHECK(user.bytes(KSR_PART_STDOUT) == "hello\n");
      ++known;
    } else {
      CHECK_FALSE(end.exit_code.has_value());
    }
    user.close();
    proxy.cut();
  }
  const std::string ran = tail_of_file(runs, kWholeFile);
  MESSAGE(opened << " channels, " << ran.size() / 4 << " commands, " << known << " codes");
  CHECK(ran.size() / 4 <= opened);
  CHECK(ran.size() / 4 >= known);
}

TEST_CASE("port-forward: to a server that ends first, to nothing, and to a node that dies") {
  for (const bool containerd : {false, true}) {
    CAPTURE(containerd);
    NodeOptions options;
    options.containerd = containerd;
    Node node(Cluster::shared(), options);
    NodePod pod(node, fresh_namespace(), "web");
    const Requester client(on_cluster());
    LineServer server;
    const Settings settings = of_pod(pod, "portforward", {{"port", server.port()}});
    for (int i = 0; i < 3; ++i) {
      ChannelUser user;
      REQUIRE(user.open(client.client(), settings) == KSR_OK);
      CHECK(user.write_all(KSR_PART_DATA, "line\n") == KSR_OK);
      CHECK(user.wait_for_bytes(KSR_PART_DATA, "answer to line\n"));
      if (containerd) CHECK(user.wait().status == KSR_OK);
    }
    ChannelUser refused;
    REQUIRE(refused.open(client.client(), of_pod(pod, "portforward", {{"port", std::to_string(free_port())}})) ==
            KSR_OK);
    const ChannelEnd end = refused.wait();
    CHECK(end.status == KSR_E_TRANSPORT);
    CHECK(has(end.message, "connection refused"));
    ChannelUser lost;
    REQUIRE(lost.open(client.client(), settings) == KSR_OK);
    CHECK(lost.wait_for_event(KSR_EVENT_OPEN));
    node.kill();
    CHECK(lost.wait().status == KSR_E_LOST);
  }
}

TEST_CASE("a killed apiserver: a command is KSR_E_LOST, a log goes on") {
  Cluster& cluster = Cluster::shared();
  NodePod pod(shared_node(), fresh_namespace(), "web");
  const Requester client(on_cluster());
  ChannelUser command;
  ChannelUser log;
  REQUIRE(command.open(client.client(), shell(pod, "echo begun; sleep 60")) == KSR_OK);
  REQUIRE(log.open(client.client(), of_pod(pod, "log", {{"follow", "true"}})) == KSR_OK);
  pod.log().line("one");
  CHECK(command.wait_for_bytes(KSR_PART_STDOUT, "begun\n"));
  CHECK(log.wait_for_bytes(KSR_PART_STDOUT, "one\n"));
  cluster.kill_apiserver();
  CHECK(command.wait().status == KSR_E_LOST);
  pod.log().line("two");
  cluster.start_apiserver();
  CHECK(log.wait_for_bytes(KSR_PART_STDOUT, "one\ntwo\n"));
  CHECK(log.count(KSR_EVENT_GAP) == 0);
}

TEST_CASE("where the kubelet translates v5, its death is not taken for a success that is verified") {
  NodeOptions options;
  options.declares_extended_websockets = true;
  Node node(Cluster::shared(), options);
  NodePod pod(node, fresh_namespace(), "web");
  const Requester client(on_cluster());
  CHECK(run(client, shell(pod, "exit 4", {{"exec_protocol", "v5"}})).end.exit_code == 4);
  CHECK(run(client, shell(pod, "exit 4", {{"exec_protocol", "v4"}})).end.exit_code == 4);
  ChannelUser user;
  REQUIRE(user.open(client.client(), shell(pod, "echo begun; sleep 60", {{"exec_protocol", "v5"}})) == KSR_OK);
  CHECK(user.wait_for_bytes(KSR_PART_STDOUT, "begun\n"));
  node.kill();
  user.wait();
  CHECK(user.stat("exit_verified") == 0);
}

// The node that the tests of channels rely on, told by kubectl and plain requests.
#include "cluster/harness/node.hpp"

#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/serialize.hpp>

#include "cluster/harness/echo_server.hpp"
#include "cluster/harness/free_port.hpp"
#include "cluster/harness/harness_error.hpp"
#include "cluster/harness/log_writer.hpp"
#include "cluster/harness/node_pod.hpp"
#include "cluster/harness/text_files.hpp"
#include "cluster/harness/wait.hpp"
#include "cluster/kubectl/program.hpp"
#include "support/temporary_directory.hpp"

using namespace ksr::clustertest;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t kWholeFile = std::size_t{64} << 20;

// One for all tests that do not kill it.
Node& shared_node() {
  static Node node(Cluster::shared());
  return node;
}

std::vector<std::string> kubectl_command(const std::string& ns, const std::vector<std::string>& arguments) {
  Cluster& cluster = Cluster::shared();
  std::vector<std::string> argv{cluster_program("kubectl").string(), "--server=" + cluster.url(),
                                "--certificate-authority=" + cluster.ca_file(), "--token=" + admin_user().token,
                                "--namespace=" + ns};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

ProgramEnd kubectl(const std::string& ns, const std::vector<std::string>& arguments, const std::string& input = "") {
  const ksr::testing::TemporaryDirectory directory("ksr-node-test");
  write_file(directory.root() / "input", input);
  return run_to_end(kubectl_command(ns, arguments), {"PATH=/usr/bin:/bin", "HOME=" + directory.root().string()},
                    directory.root(), directory.root() / "input");
}

// The body of the answer.
std::string get(const std::string& path_and_query) {
  const Reply reply = Cluster::shared().admin().request("GET", path_and_query);
  if (reply.body.is_string()) return std::string(reply.body.get_string());
  return boost::json::serialize(reply.body);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

TEST_CASE("kubectl exec runs a process, with its output, its input and its exit code") {
  const std::string ns = Cluster::shared().fresh_namespace("node-exec");
  NodePod pod(shared_node(), ns, "web");
  const ProgramEnd success = kubectl(ns, {"exec", "web", "--", "sh", "-c", "echo out; echo err >&2"});
  CHECK(success.status == 0);
  CHECK(success.output == "out\n");
  CHECK(success.errors == "err\n");
  CHECK(kubectl(ns, {"exec", "web", "--", "sh", "-c", "exit 7"}).status == 7);
  CHECK(kubectl(ns, {"exec", "web", "--", "sh", "-c", "kill -9 $$"}).status == 137);
  const ProgramEnd echo = kubectl(ns, {"exec", "-i", "web", "--", "cat"}, "over there\n");
  CHECK(echo.status == 0);
  CHECK(echo.output == "over there\n");
  const ProgramEnd missing = kubectl(ns, {"exec", "web", "--", "/no/such/program"});
  CHECK(missing.status == 1);
  CHECK(missing.errors.find("no such file") != std::string::npos);
}

TEST_CASE("kubectl exec where the kubelet translates the WebSocket") {
  NodeOptions options;
  options.declares_extended_websockets = true;
  Node node(Cluster::shared(), options);
  const std::string ns = Cluster::shared().fresh_namespace("node-extended");
  NodePod pod(node, ns, "web");
  CHECK(kubectl(ns, {"exec", "-i", "web", "--", "cat"}, "over there\n").output == "over there\n");
  CHECK(kubectl(ns, {"exec", "web", "--", "sh", "-c", "exit 3"}).status == 3);
}

TEST_CASE("kubectl logs shows what containers wrote, parts as lines") {
  const std::string ns = Cluster::shared().fresh_namespace("node-logs");
  NodePod pod(shared_node(), ns, "web");
  for (const Stamps stamps : {Stamps::jittered, Stamps::equal}) {
    LogWriter writer(pod.log(), 7, stamps);
    writer.write(400);
    CHECK(kubectl(ns, {"logs", "web"}).output == joined(writer.lines()));
    pod.restart();
    CHECK(kubectl(ns, {"logs", "web", "--previous"}).output == joined(writer.lines()));
    CHECK(kubectl(ns, {"logs", "web"}).output.empty());
  }
}

TEST_CASE("kubectl logs -f follows over a rotation to the container's end") {
  const std::string ns = Cluster::shared().fresh_namespace("node-follow");
  NodePod pod(shared_node(), ns, "web");
  LogWriter writer(pod.log(), 8, Stamps::jittered);
  const ksr::testing::TemporaryDirectory directory("ksr-node-test");
  const std::filesystem::path output = directory.root() / "kubectl.log";
  ChildProcess follower(kubectl_command(ns, {"logs", "-f", "web"}), output);
  const auto follower_has_all = [&] { return tail_of_file(output, kWholeFile) == joined(writer.lines()); };
  writer.write(50);
  wait_until("kubectl to show the first lines", follower_has_all);
  pod.log().rotate();
  writer.write(50);
  wait_until("kubectl to show the lines of the next file", follower_has_all);
  pod.terminate(0);
  wait_until("kubectl logs -f to end", [&] { return !follower.running(); });
  CHECK(follower_has_all());
}

TEST_CASE("errors of the log reader come in the body, and a waiting container is refused") {
  const std::string ns = Cluster::shared().fresh_namespace("node-errors");
  NodePod pod(shared_node(), ns, "web", {"main", "side"});
  pod.log().remove();
  const std::string log_path = pod.path() + "/log?container=";
  CHECK(get(log_path + "main").find("failed to try resolving symlinks") != std::string::npos);
  pod.log("side").raw("not in the CRI format\n");
  CHECK(get(log_path + "side").find("failed to get parse function") != std::string::npos);
  CHECK(get(pod.path() + "/log").find("a container name must be specified") != std::string::npos);
  NodePod waiting(shared_node(), ns, "waiting");
  waiting.wait("ContainerCreating");
  waiting.wait("CrashLoopBackOff");
  CHECK(get(waiting.path() + "/log").empty());  // the last one's
}

TEST_CASE("sinceTime is floored to the second and later or equal lines pass") {
  const std::string ns = Cluster::shared().fresh_namespace("node-since");
  NodePod pod(shared_node(), ns, "web");
  constexpr std::int64_t kSecond = 1'000'000'000;
  const std::int64_t second = stamp_of_now() / kSecond * kSecond;
  pod.log().write(second - 1, LogStream::out, LogTag::full, "before");
  pod.log().write(second, LogStream::out, LogTag::full, "equal");
  pod.log().write(second + kSecond / 2, LogStream::out, LogTag::full, "later");
  const std::string query = "/log?timestamps=true&sinceTime=" + log_stamp(second + kSecond / 4);
  CHECK(get(pod.path() + query) == log_stamp(second) + " equal\n" + log_stamp(second + kSecond / 2) + " later\n");
}

TEST_CASE("a killed node is back on its port") {
  Node node(Cluster::shared());
  const std::string ns = Cluster::shared().fresh_namespace("node-killed");
  NodePod pod(node, ns, "web");
  pod.log().line("kept");
  node.kill();
  CHECK(get(pod.path() + "/log").find("connection refused") != std::string::npos);
  node.start();
  CHECK(get(pod.path() + "/log") == "kept\n");
  CHECK(kubectl(ns, {"exec", "web", "--", "sh", "-c", "exit 5"}).status == 5);
}

TEST_CASE("the write limit ends a followed log in order, however busy") {
  NodeOptions options;
  options.write_timeout = std::chrono::milliseconds(500);
  Node node(Cluster::shared(), options);
  const std::string ns = Cluster::shared().fresh_namespace("node-write-limit");
  NodePod pod(node, ns, "web");
  pod.log().line("before");
  CHECK(get(pod.path() + "/log?follow=true") == "before\n");
}

TEST_CASE("kubectl port-forward reaches a port of the machine") {
  const std::string ns = Cluster::shared().fresh_namespace("node-forward");
  NodeOptions options;
  options.containerd = true;
  Node node(Cluster::shared(), options);
  NodePod pod(node, ns, "web");
  EchoServer echo;
  const std::uint16_t local = free_port();
  const ksr::testing::TemporaryDirectory directory("ksr-node-test");
  const std::filesystem::path output = directory.root() / "kubectl.log";
  const std::string ports = std::to_string(local) + ":" + std::to_string(echo.port());
  ChildProcess forwarder(kubectl_command(ns, {"port-forward", "--address=127.0.0.1", "web", ports}), output);
  wait_until("kubectl port-forward to listen",
             [&] { return tail_of_file(output, kWholeFile).find("Forwarding from") != std::string::npos; });
  asio::io_context io;
  tcp::socket client(io);
  client.connect({asio::ip::address_v4::loopback(), local});
  asio::write(client, asio::buffer("through it", 10));
  std::string received(10, '\0');
  asio::read(client, asio::buffer(received));
  CHECK(received == "through it");
}

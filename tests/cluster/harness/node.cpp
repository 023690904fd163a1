#include "cluster/harness/node.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cluster/harness/free_port.hpp"
#include "cluster/harness/text_files.hpp"
#include "cluster/harness/wait.hpp"

namespace ksr::clustertest {
namespace {

namespace json = boost::json;

constexpr const char* kNodes = "/api/v1/nodes";

std::string fresh_name() {
  static int nodes = 0;
  return "node-" + std::to_string(++nodes);
}

std::string in_milliseconds(std::chrono::milliseconds duration) {
  return std::to_string(duration.count()) + "ms";
}

}  // namespace

Node::Node(Cluster& cluster, NodeOptions options)
    : cluster_(cluster),
      options_(options),
      name_(fresh_name()),
      port_(free_port()),
      directory_(cluster.directory() / name_) {
  std::filesystem::create_directories(logs());
  std::filesystem::create_directories(directory_ / "certs");
  write_file(directory_ / "token", admin_user().token);
  start();
  register_node();
}

Node::~Node() = default;

void Node::kill() {
  process_->kill();
}

void Node::start() {
  if (process_ != nullptr && process_->running()) return;
  const std::filesystem::path log = directory_ / "ksr-node.log";
  const std::vector<std::string> command{cluster_program("ksr-node").string(),
                                         "--server=" + cluster_.url(),
                                         "--ca-file=" + cluster_.ca_file(),
                                         "--token-file=" + (directory_ / "token").string(),
                                         "--name=" + name_,
                                         "--port=" + std::to_string(port_),
                                         "--logs=" + logs().string(),
                                         "--cert-dir=" + (directory_ / "certs").string(),
                                         "--idle-timeout=" + in_milliseconds(options_.idle_timeout),
                                         "--write-timeout=" + in_milliseconds(options_.write_timeout),
                                         std::string("--containerd=") + (options_.containerd ? "true" : "false")};
  process_ = std::make_unique<ChildProcess>(command, log);
  const std::filesystem::path certificate = directory_ / "certs" / (name_ + "_127.0.0.1_.crt");
  wait_until_ready(*process_, log, "ksr-node", [&] {
    if (!std::filesystem::exists(certificate)) return false;
    return ApiClient(Endpoint{port_, certificate.string()}, "").request("GET", "/healthz").status == 200;
  });
}

void Node::register_node() {
  json::object status{{"addresses", json::array{json::object{{"type", "InternalIP"}, {"address", "127.0.0.1"}}}},
                      {"daemonEndpoints", {{"kubeletEndpoint", {{"Port", port_}}}}},
                      {"conditions", json::array{json::object{{"type", "Ready"}, {"status", "True"}}}}};
  if (options_.declares_extended_websockets) status["declaredFeatures"] = json::array{"ExtendWebSocketsToKubelet"};
  cluster_.admin().create(
      kNodes, {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", name_}}}, {"status", status}});
}

}  // namespace ksr::clustertest

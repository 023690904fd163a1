// `Node` is a node of a Cluster without containers: the kubelet's HTTP server, the CRI streaming server and the CRI log
// reader in the program ksr-node, and the Node object; used by the tests of channels. Exec runs processes of this
// machine. Lives on any one thread at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "cluster/harness/child_process.hpp"
#include "cluster/harness/cluster.hpp"

namespace ksr::clustertest {

struct NodeOptions {
  // Of the CRI streaming server: how long a stream may be without data.
  std::chrono::milliseconds idle_timeout = std::chrono::hours(4);
  // Of the kubelet's HTTP server: how long a log may be followed.
  std::chrono::milliseconds write_timeout = std::chrono::hours(4);
  // A forwarded connection ends 1 s after either of its directions.
  bool containerd = false;
  // v5 exec and tunnels are translated by the kubelet, not by the apiserver.
  bool declares_extended_websockets = false;
};

class Node {
 public:
  // Returns when it serves.
  explicit Node(Cluster& cluster, NodeOptions options = {});
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // kill -9; exec'd processes end with it.
  void kill();
  // On the same port; returns when it serves.
  void start();

  Cluster& cluster() { return cluster_; }
  const std::string& name() const { return name_; }
  std::uint16_t port() const { return port_; }
  // LOGS/CONTAINER-ID/0.log
  std::filesystem::path logs() const { return directory_ / "logs"; }

 private:
  void register_node();

  Cluster& cluster_;
  NodeOptions options_;
  std::string name_;
  std::uint16_t port_;
  std::filesystem::path directory_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace ksr::clustertest

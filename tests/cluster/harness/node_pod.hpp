// `NodePod` is a Pod bound to a Node, with the status that a kubelet would give it, and its containers' logs; used by
// the tests of channels. Lives on any one thread at a time.
#pragma once

#include <boost/json/object.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/harness/api_client.hpp"
#include "cluster/harness/container_log.hpp"
#include "cluster/harness/node.hpp"
#include "cluster/harness/objects.hpp"

namespace ksr::clustertest {

struct NodePodOptions {
  std::vector<std::string> containers = {"main"};
  TextMap labels = {};
  // More fields of each container, such as tty and ports.
  boost::json::object container = {};
};

class NodePod {
 public:
  // Its containers run.
  NodePod(Node& node, std::string ns, std::string name, const NodePodOptions& options);
  NodePod(Node& node, std::string ns, std::string name, const std::vector<std::string>& containers = {"main"})
      : NodePod(node, std::move(ns), std::move(name), NodePodOptions{containers}) {}

  const std::string& ns() const { return ns_; }
  const std::string& name() const { return name_; }
  const std::string& uid() const { return uid_; }
  std::string path() const;
  // RUNTIME://ID
  const std::string& container_id(const std::string& container = "main");
  // Of the container that runs or ran last.
  ContainerLog& log(const std::string& container = "main");

  // Each of these is in the Pod's status when it returns.
  void terminate(int exit_code, const std::string& container = "main");
  // The next container starts; terminates the one before where that runs.
  void restart(const std::string& container = "main");
  // Nothing has started since the last one, as in CrashLoopBackOff.
  void wait(const std::string& reason, const std::string& container = "main");
  // The container is over and the Pod's status does not tell it yet.
  void stop_unreported(const std::string& container = "main");
  void erase();

 private:
  struct Container {
    std::string name;
    std::string id;
    int restarts = -1;
    boost::json::object state;
    boost::json::object last_state;
    std::unique_ptr<ContainerLog> log;
  };

  Container& find(const std::string& name);
  void start(Container& container);
  void stop(Container& container, int exit_code);
  void publish();

  Node& node_;
  ApiClient api_;
  std::string ns_;
  std::string name_;
  std::string uid_;
  std::vector<Container> containers_;
};

}  // namespace ksr::clustertest

// A node with a pod, and clients of the cluster, directly or through a proxy that cuts; used by cluster.channels. Lives
// on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/node.hpp"
#include "cluster/harness/node_pod.hpp"
#include "cluster/harness/users.hpp"
#include "support/channel_user.hpp"
#include "support/requester.hpp"
#include "support/text.hpp"

namespace ksr::clustertest {

using testing::ChannelEnd;
using testing::ChannelEvent;
using testing::ChannelUser;
using testing::Requester;
using testing::Settings;

// One for all tests that neither kill nor limit it.
inline Node& shared_node() {
  static Node node(Cluster::shared());
  return node;
}

// `port`: of a proxy in front of the apiserver; 0: none.
inline Settings on_cluster(const User& user = admin_user(), std::uint16_t port = 0) {
  Cluster& cluster = Cluster::shared();
  const std::string server = port == 0 ? cluster.url() : "https://127.0.0.1:" + std::to_string(port);
  return {{"server", server}, {"ca_file", cluster.ca_file()}, {"token", user.token}};
}

inline Settings of_pod(const NodePod& pod, const std::string& kind, const Settings& more = {}) {
  Settings settings{{"kind", kind}, {"namespace", pod.ns()}, {"name", pod.name()}};
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

inline Settings shell(const NodePod& pod, const std::string& script, const Settings& more = {}) {
  Settings settings = of_pod(pod, "exec", {{"command", "sh"}, {"command", "-c"}, {"command", script}});
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

using ksr::testing::has;

inline std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace ksr::clustertest

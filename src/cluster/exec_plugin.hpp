// `run_exec_plugin` obtains credentials from an exec plugin; used by the credential sources on a thread of their own.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/expected.hpp"
#include "base/log.hpp"
#include "cluster/child_process.hpp"
#include "cluster/credentials.hpp"
#include "cluster/exec_credential.hpp"
#include "cluster/kubeconfig.hpp"
#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// Plain values; may be copied between threads.
struct ExecPlan {
  // For messages: "exec of user \"jane\" in /home/jane/.kube/config".
  std::string role;
  ExecStanza stanza;
  // The host's own variables, as they were when the connection was opened.
  std::vector<std::string> environment;
  std::string search_path;
  Milliseconds timeout{60'000};
  // Its standard error is the host's.
  bool inherits_stderr = false;
  ExecCluster cluster;
};

// Runs the plugin once and parses its output. Blocks: never on the network thread. Setting `stop` ends it. Each line of
// its standard error is logged as it comes, unless that is the host's: it may ask for something.
Expected<Credentials> run_exec_plugin(const ExecPlan& plan, const std::atomic<bool>& stop, Logger& logger);

}  // namespace ksr::cluster

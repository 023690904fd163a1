// Credentials from an exec plugin: what is run, and what its outcome means.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/expected.hpp"
#include "cluster/child_process.hpp"
#include "cluster/credential_source.hpp"
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
  ExecCluster cluster;
};

// Runs the plugin once and reads its answer. Blocks: never on the network thread.
Expected<Credentials> run_exec_plugin(const ExecPlan& plan, const std::atomic<bool>& stop);

// The last line of what a program complained, fit for a message: of one line, cut short, with what looks like a secret
// left out.
std::string last_line(const std::string& stderr_tail);

}  // namespace ksr::cluster

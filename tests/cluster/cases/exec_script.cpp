#include "cluster/cases/exec_script.hpp"

#include <fstream>
#include <thread>

#include "cluster/harness/text_files.hpp"

namespace ksr::clustertest {
namespace {

namespace fs = std::filesystem;

std::string kubeconfig() {
  Cluster& cluster = Cluster::shared();
  return "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
         "contexts: [{name: here, context: {cluster: here, user: me}}]\n"
         "clusters: [{name: here, cluster: {server: \"" +
         cluster.url() + "\", certificate-authority: \"" + cluster.ca_file() +
         "\"}}]\n"
         // Relative to the kubeconfig's directory.
         "users: [{name: me, user: {exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, "
         "command: ./plugin}}}]\n";
}

}  // namespace

ExecScript::ExecScript(const std::string& body) : files_("ksr-exec") {
  const std::string dir = files_.root().string();
  write("plugin", "#!/bin/sh\ndir='" + dir + "'\ndate +%s%N >>\"$dir/runs\"\n" + body);
  fs::permissions(file("plugin"), fs::perms::owner_all);
  write("config", kubeconfig());
}

// Atomically: the plugin may be reading it.
void ExecScript::write(const std::string& name, const std::string& content) const {
  write_file(file(name + ".new"), content);
  fs::rename(file(name + ".new"), file(name));
}

std::vector<long long> ExecScript::runs() const {
  std::ifstream lines(file("runs"));
  std::vector<long long> starts;
  for (long long start = 0; lines >> start;) starts.push_back(start);
  return starts;
}

ksr::testing::Settings ExecScript::on(const Way& way, const std::string& resource, const std::string& ns) const {
  ksr::testing::Settings settings = way.to(resource, ns);
  settings.erase(settings.begin(), settings.begin() + 2);
  return with(settings, "kubeconfig", file("config").string());
}

}  // namespace ksr::clustertest

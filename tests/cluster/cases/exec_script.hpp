// `ExecScript` is an exec credential plugin as a shell script, with the kubeconfig that names it; used by the cases
// about exec. Lives on the test's thread.
#pragma once

#include <string>
#include <vector>

#include "cluster/cases/ways.hpp"
#include "support/temporary_directory.hpp"

namespace ksr::clustertest {

class ExecScript {
 public:
  // `body` runs in /bin/sh; $dir is a private directory. Each run appends its start (in nanoseconds) to $dir/runs.
  explicit ExecScript(const std::string& body);

  std::filesystem::path file(const std::string& name) const { return files_.root() / name; }
  void write(const std::string& name, const std::string& content) const;
  // The times at which the plugin was started, in order.
  std::vector<long long> runs() const;
  // The settings of a stream that authenticates with this plugin.
  ksr::testing::Settings on(const Way& way, const std::string& resource, const std::string& ns) const;

 private:
  testing::TemporaryDirectory files_;
};

}  // namespace ksr::clustertest

// An exec credential plugin as a shell script, and the kubeconfig that names it.
#pragma once

#include <string>
#include <vector>

#include "cluster/cases/ways.hpp"
#include "cluster/harness/temp_dir.hpp"

namespace ksr::clustertest {

class ExecScript {
 public:
  // `body` runs in /bin/sh, with $dir as a directory of its own. Each run leaves its start (in nanoseconds) in
  // $dir/runs.
  explicit ExecScript(const std::string& body);

  std::filesystem::path file(const std::string& name) const { return files_.path() / name; }
  void write(const std::string& name, const std::string& content) const;
  // When the plugin was started, in order.
  std::vector<long long> runs() const;
  // A stream on that way whose user is this plugin's.
  ksr_test::Settings on(const Way& way, const std::string& resource, const std::string& ns) const;

 private:
  TempDir files_;
};

}  // namespace ksr::clustertest

// `run_to_end` runs a program until it ends, with its own environment and a file as its standard input; used by
// cluster.kubectl and cluster.commands. On any thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ksr::clustertest {

struct ProgramEnd {
  int status = -1;
  std::string output;
  std::string errors;
};

// The program is killed after a minute. Its output goes through files in `directory`.
ProgramEnd run_to_end(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                      const std::filesystem::path& directory, const std::filesystem::path& input = "/dev/null");

}  // namespace ksr::clustertest

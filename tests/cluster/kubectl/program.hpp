// A program run to its end, with an environment of its own and nothing to read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ksr::clustertest {

struct ProgramEnd {
  int status = -1;
  std::string output;
  std::string stderr_tail;
};

// Killed after a minute. Its output goes through files in `directory`.
ProgramEnd run_to_end(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
                      const std::filesystem::path& directory);

}  // namespace ksr::clustertest

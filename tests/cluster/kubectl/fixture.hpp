// `Fixture` is one kubeconfig, or several, and how the programs are run with it: a directory with the files and a file
// "case"; used by cluster.kubectl. Lives on the test's thread.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ksr::clustertest {

struct Fixture {
  std::string name;
  std::string home;        // HOME; empty: an empty directory
  std::string kubeconfig;  // KUBECONFIG; empty: not set
  std::vector<std::string> arguments;
  std::string resource = "pods";
  bool refused = false;
  std::vector<std::string> says;  // all of them in ksr-watch's one line
};

// The values of the placeholders that files write as @NAME@.
using Replacements = std::map<std::string, std::string>;

// All fixtures, written below `directory` with the placeholders replaced; @DIR@ is the fixture's own directory.
std::vector<Fixture> lay_out_fixtures(const std::filesystem::path& directory, const Replacements& replacements);

}  // namespace ksr::clustertest

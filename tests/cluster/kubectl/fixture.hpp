// One kubeconfig, or several, with what is done with it: a directory with the files and a file "case".
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace ksr::clustertest {

struct Fixture {
  std::string name;
  std::string home;        // HOME; empty: a directory without anything
  std::string kubeconfig;  // KUBECONFIG; empty: not set
  std::vector<std::string> arguments;
  std::string resource = "pods";
  bool refused = false;
  std::vector<std::string> says;  // all in the one line of ksr-watch
};

// What stands between two @ in files.
using Replacements = std::map<std::string, std::string>;

// Every fixture there is, written below `directory` with the replacements made and @DIR@ as its own directory.
std::vector<Fixture> lay_out_fixtures(const std::filesystem::path& directory, const Replacements& replacements);

}  // namespace ksr::clustertest

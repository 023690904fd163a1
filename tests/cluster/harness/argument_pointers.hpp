// `argument_pointers` makes an argv or envp for posix_spawn; used by ChildProcess and run_to_end. Pure: on any thread.
#pragma once

#include <string>
#include <vector>

namespace ksr::clustertest {

// Valid as long as `strings` is unchanged.
inline std::vector<char*> argument_pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace ksr::clustertest

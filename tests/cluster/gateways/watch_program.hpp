// `WatchProgram` is a running `ksr-watch pods`, whose lines the test waits for; used by the cases about gateways. Lives
// on the test's thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cluster/harness/child_process.hpp"
#include "support/temporary_directory.hpp"

namespace ksr::clustertest {

class WatchProgram {
 public:
  // With -o events; ends with the object.
  explicit WatchProgram(const std::vector<std::string>& arguments);

  // Waits until the text is in what it has printed, and returns for how long. Throws HarnessError at the timeout.
  std::chrono::milliseconds wait_for(const std::string& text, std::chrono::seconds patience);
  bool has_printed(const std::string& text) const { return output().find(text) != std::string::npos; }
  // Of both of its streams.
  std::string output() const;

 private:
  const testing::TemporaryDirectory directory_;
  ChildProcess process_;
};

}  // namespace ksr::clustertest

// A server run as a child of the test program: in a process group of its own, output in a file, gone with its owner.
// Lives on any one thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace ksr::clustertest {

class ChildProcess {
 public:
  // argv[0] is the program's path. Its output is appended to `log`; its home directory is where the log lies.
  ChildProcess(const std::vector<std::string>& argv, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running();
  // SIGTERM, and SIGKILL when that did not help in time. Returns when its sockets are closed.
  void stop(std::chrono::seconds patience);
  // kill -9.
  void kill();

 private:
  bool ended_within(std::chrono::milliseconds patience);

  pid_t pid_ = -1;
  int lifeline_ = -1;
};

}  // namespace ksr::clustertest

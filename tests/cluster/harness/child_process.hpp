// `ChildProcess` runs a server as a child of the test program, in its own process group and with its output in a file;
// the child ends with the test program. Used by Cluster and Etcd. Lives on any one thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace ksr::clustertest {

class ChildProcess {
 public:
  // argv[0] is the program's path. Its output is appended to `log`; its HOME is the log's directory.
  ChildProcess(const std::vector<std::string>& argv, const std::filesystem::path& log);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  bool running();
  // SIGTERM, then SIGKILL if it does not end within `patience`. Returns when its sockets are closed.
  void stop(std::chrono::seconds patience);
  // kill -9.
  void kill();

 private:
  bool ended_within(std::chrono::milliseconds patience);

  pid_t pid_ = -1;
  int parent_pipe_ = -1;
};

}  // namespace ksr::clustertest

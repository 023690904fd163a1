// `StopSignal` waits for SIGTERM, SIGINT or, on request, the end of standard input; used by ksr-cluster.
// Lives on the main thread.
#pragma once

#include <chrono>

namespace ksr::clustertest {

class StopSignal {
 public:
  // Construct it before any thread starts: the signals are blocked from then on and only wait_for receives them.
  explicit StopSignal(bool on_end_of_stdin);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // False: the time has passed without a request to stop.
  bool wait_for(std::chrono::milliseconds time);

 private:
  int signals_;
  bool stdin_counts_;
};

}  // namespace ksr::clustertest

// When a program should stop: SIGTERM, SIGINT, or the end of standard input if that was asked for.
#pragma once

#include <chrono>

namespace ksr::clustertest {

class StopSignal {
 public:
  // To be made before any thread: from here on the signals are only seen by wait_for.
  explicit StopSignal(bool on_end_of_stdin);
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // False: the time is over and nobody wants to stop.
  bool wait_for(std::chrono::milliseconds time);

 private:
  int signals_;
  bool stdin_counts_;
};

}  // namespace ksr::clustertest

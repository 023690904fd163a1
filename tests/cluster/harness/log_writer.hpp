// `LogWriter` writes numbered lines to a container's log the ways that containers do: stamps that go back a little or
// are equal, long lines in parts, stderr between them; used by the tests of followed logs. It knows what the kubelet
// makes of them. Lives on any one thread at a time.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "cluster/harness/container_log.hpp"

namespace ksr::clustertest {

// How the lines of one writer are stamped.
enum class Stamps {
  // stdout and stderr are stamped apart from each other, up to 20 ms before they are written.
  jittered,
  // Many lines share one stamp, as a coarse clock gives them.
  equal,
};

class LogWriter {
 public:
  LogWriter(ContainerLog& log, std::uint64_t seed, Stamps stamps);

  // About that many lines more, each with a number of its own.
  void write(int count);
  // Goes on in the log of the container's successor.
  void continue_in(ContainerLog& log) { log_ = &log; }

  // The whole lines so far, without stamps, as the kubelet shows them; each occurs once.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  void write_parts();
  void put(LogStream stream, LogTag tag, const std::string& text);
  std::int64_t stamp();
  int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  std::string text(std::size_t more);

  ContainerLog* log_;
  std::mt19937_64 random_;
  Stamps stamps_;
  std::uint64_t seed_;
  int number_ = 0;
  std::string unfinished_;
  std::vector<std::string> lines_;
};

}  // namespace ksr::clustertest

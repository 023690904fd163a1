// `ContainerLog` is the log file of a container as a runtime writes it, in the CRI format, and as a kubelet rotates it;
// used by NodePod and the tests. Lives on any one thread at a time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace ksr::clustertest {

enum class LogStream { out, err };
// A line that is longer than a runtime's buffer is written in parts; the last one is full.
enum class LogTag { full, partial };

// Nanoseconds since 1970 as a runtime writes them, in UTC.
std::string log_stamp(std::int64_t nanoseconds);
std::int64_t stamp_of_now();

class ContainerLog {
 public:
  // The file is DIRECTORY/0.log; it is made with its directory.
  explicit ContainerLog(std::filesystem::path directory);
  ~ContainerLog();
  ContainerLog(const ContainerLog&) = delete;
  ContainerLog& operator=(const ContainerLog&) = delete;

  void write(std::int64_t stamp, LogStream stream, LogTag tag, const std::string& text);
  // A whole line of stdout, stamped with the time now.
  void line(const std::string& text) { write(stamp_of_now(), LogStream::out, LogTag::full, text); }
  // Bytes as they are, which need not be of the CRI format.
  void raw(const std::string& bytes);

  // As the kubelet: the file gets another name, and a new one takes its place.
  void rotate();
  // As logrotate with copytruncate: the same file begins again.
  void copy_truncate();
  void remove();

  std::filesystem::path file() const { return directory_ / "0.log"; }

 private:
  void reopen(int more_flags);

  std::filesystem::path directory_;
  int file_ = -1;
  int rotations_ = 0;
};

}  // namespace ksr::clustertest

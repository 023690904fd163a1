#include "cluster/harness/container_log.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <ctime>

#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {
namespace {

constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr int kLogReadableByOwner = 0600;

}  // namespace

std::string log_stamp(std::int64_t nanoseconds) {
  const std::time_t seconds = static_cast<std::time_t>(nanoseconds / kNanosecondsPerSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char day[32];
  std::strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%09dZ", static_cast<int>(nanoseconds % kNanosecondsPerSecond));
  return std::string(day) + fraction;
}

std::int64_t stamp_of_now() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since_1970).count();
}

ContainerLog::ContainerLog(std::filesystem::path directory) : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  reopen(0);
}

ContainerLog::~ContainerLog() {
  close(file_);
}

void ContainerLog::reopen(int more_flags) {
  if (file_ >= 0) close(file_);
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | more_flags;
  file_ = open(file().c_str(), flags, kLogReadableByOwner);
  if (file_ < 0) throw HarnessError("cannot open " + file().string());
}

void ContainerLog::write(std::int64_t stamp, LogStream stream, LogTag tag, const std::string& text) {
  raw(log_stamp(stamp) + (stream == LogStream::out ? " stdout " : " stderr ") + (tag == LogTag::full ? "F " : "P ") +
      text + "\n");
}

void ContainerLog::raw(const std::string& bytes) {
  const ssize_t written = ::write(file_, bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) throw HarnessError("cannot write to " + file().string());
}

void ContainerLog::rotate() {
  std::filesystem::rename(file(), file().string() + "." + std::to_string(++rotations_));
  reopen(O_EXCL);
}

void ContainerLog::copy_truncate() {
  std::filesystem::copy_file(file(), file().string() + "." + std::to_string(++rotations_));
  if (ftruncate(file_, 0) != 0) throw HarnessError("cannot truncate " + file().string());
}

void ContainerLog::remove() {
  std::filesystem::remove(file());
}

}  // namespace ksr::clustertest

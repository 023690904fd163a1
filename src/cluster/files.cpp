#include "cluster/files.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "base/mutex.hpp"
#include "base/secrets.hpp"
#include "base/standard_descriptors.hpp"
#include "base/text.hpp"

namespace ksr::cluster {
namespace {

// Lives on the thread that reads.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const noexcept { return number_; }

 private:
  int number_;
};

Error unreadable(const NamedFile& file, const std::string& reason) {
  return {Status::invalid, file.role + ": cannot read " + shown_path(file.path) + ": " + reason};
}

Error unreadable(const NamedFile& file, int number) {
  return unreadable(file, std::error_code(number, std::generic_category()).message());
}

int open_for_reading(const std::string& path) {
  const StandardDescriptorsReserved reserved;
  for (;;) {
    const int number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (number >= 0 || errno != EINTR) return number;
  }
}

constexpr std::chrono::seconds kMaxPipeWait{10};
constexpr std::size_t kMaxCachedPipes = 16;

// Until there is something to read, or a writer has closed the pipe; false: the time is over. A pipe that no writer has
// opened yet is waited for as well.
bool wait_for_writer(int descriptor, std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left = deadline - std::chrono::steady_clock::now();
    const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    if (wait <= 0) return false;
    pollfd end{descriptor, POLLIN, 0};
    if (::poll(&end, 1, static_cast<int>(wait)) > 0) return true;
  }
}

// What is left of a regular file, or of a pipe whose end is awaited until `deadline`.
Expected<std::string> read_to_end(const NamedFile& file, int descriptor, std::size_t max_size,
                                  std::optional<std::chrono::steady_clock::time_point> deadline) {
  std::string content;
  char block[16 * 1024];
  for (;;) {
    if (deadline && !wait_for_writer(descriptor, *deadline)) {
      return unreadable(file,
                        "the pipe was not written to its end within " + std::to_string(kMaxPipeWait.count()) + " s");
    }
    const ssize_t count = ::read(descriptor, block, sizeof block);
    if (count == 0) return content;
    if (count < 0 && (errno == EINTR || (deadline && errno == EAGAIN))) continue;
    if (count < 0) return unreadable(file, errno);
    content.append(block, static_cast<std::size_t>(count));
    if (content.size() > max_size) {
      return unreadable(file, "it is larger than " + std::to_string(max_size) + " bytes");
    }
  }
}

// A pipe can be read once, but a connection is described by it as long as the process lives.
class PipeCache {
 public:
  Expected<std::string> read(const NamedFile& file, int descriptor, const struct stat& status) {
    const std::pair<dev_t, ino_t> pipe(status.st_dev, status.st_ino);
    const MutexLock lock(pipes_mutex_);
    if (const auto found = pipes_.find(pipe); found != pipes_.end()) return found->second;
    const auto deadline = std::chrono::steady_clock::now() + kMaxPipeWait;
    auto content = read_to_end(file, descriptor, kMaxKubeconfigSize, deadline);
    if (content && pipes_.size() < kMaxCachedPipes) pipes_.emplace(pipe, *content);
    return content;
  }

 private:
  Mutex pipes_mutex_;
  std::map<std::pair<dev_t, ino_t>, std::string> pipes_ KSR_GUARDED_BY(pipes_mutex_);
};

// Never destroyed: a stream may be opened while the process exits.
PipeCache& pipe_cache() {
  static PipeCache* const cache = new PipeCache;
  return *cache;
}

bool is_null_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

}  // namespace

std::string NamedFile::text() const {
  return role + " " + shown_path(path);
}

std::string shown_path(const std::string& path) {
  return one_line(without_confused_secret(path));
}

Expected<std::string> read_file(const NamedFile& file, std::size_t max_size) {
  const Descriptor descriptor(open_for_reading(file.path));
  if (descriptor.number() < 0) return unreadable(file, errno);
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) return unreadable(file, errno);
  if (!S_ISREG(status.st_mode)) return unreadable(file, "it is not a regular file");
  return read_to_end(file, descriptor.number(), max_size, std::nullopt);
}

Expected<std::string> read_kubeconfig_file(const NamedFile& file) {
  const Descriptor descriptor(open_for_reading(file.path));
  if (descriptor.number() < 0) return unreadable(file, errno);
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) return unreadable(file, errno);
  if (is_null_device(status)) return std::string();
  if (S_ISFIFO(status.st_mode)) return pipe_cache().read(file, descriptor.number(), status);
  if (!S_ISREG(status.st_mode)) return unreadable(file, "it is not a regular file, a pipe or /dev/null");
  return read_to_end(file, descriptor.number(), kMaxKubeconfigSize, std::nullopt);
}

Expected<std::string> read_token_file(const NamedFile& file) {
  auto content = read_file(file, kMaxCredentialFileSize);
  if (!content) return content;
  std::string token(trimmed(without_byte_order_mark(*content)));
  if (token.empty())
    return Error{Status::invalid, file.role + ": " + shown_path(file.path) + " is empty; expected a bearer token"};
  if (has_control_characters(token)) {
    return Error{Status::invalid,
                 file.role + ": " + shown_path(file.path) + " holds control characters; expected one bearer token"};
  }
  return token;
}

}  // namespace ksr::cluster

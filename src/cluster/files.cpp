#include "cluster/files.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "base/mutex.hpp"
#include "base/resource_exhaustion.hpp"
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
  if (is_resource_exhaustion(number)) {
    return resource_exhausted(file.role + ": cannot read " + shown_path(file.path), number);
  }
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
constexpr std::size_t kMaxKeptPipes = 16;
constexpr std::size_t kBlockSize = std::size_t{16} * 1024;

Error not_written_in_time(const NamedFile& file) {
  return unreadable(file, "the pipe was not written to its end within " + std::to_string(kMaxPipeWait.count()) + " s");
}

Error replaced(const NamedFile& file) {
  return unreadable(file, "it was replaced while it was opened");
}

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
  // Not on the stack, of which a host's thread may have little.
  std::string block(kBlockSize, '\0');
  // A pipe without a writer reads as ended: before the first byte that says nothing, afterwards it is the end. poll()
  // would not tell of it when the writer had closed before this descriptor was opened (Linux's fifo_open()).
  bool waits = deadline.has_value();
  for (;;) {
    if (waits && !wait_for_writer(descriptor, *deadline)) return not_written_in_time(file);
    const ssize_t count = ::read(descriptor, block.data(), block.size());
    if (count == 0) return content;
    waits = deadline && count < 0;
    if (count < 0 && (errno == EINTR || (waits && errno == EAGAIN))) continue;
    if (count < 0) return unreadable(file, errno);
    content.append(block, 0, static_cast<std::size_t>(count));
    if (content.size() > max_size) {
      return unreadable(file, "it is larger than " + std::to_string(max_size) + " bytes");
    }
  }
}

// Those of pipe(2), which are in no directory. Each is what one program was started with, and is read once; a named
// pipe is written again for each reader.
bool is_anonymous_pipe(int descriptor) {
  struct statfs system {};
  return ::fstatfs(descriptor, &system) == 0 && static_cast<unsigned long>(system.f_type) == PIPEFS_MAGIC;
}

// Readers of one pipe would take pieces of its content from each other, so they take turns; those of different pipes do
// not wait for each other.
class PipeReader {
 public:
  // The pipe is opened in the reader's turn: a descriptor opened before would see the end of another reader's writer.
  Expected<std::string> read(const NamedFile& file, const struct stat& status, std::size_t max_size) {
    const auto deadline = std::chrono::steady_clock::now() + kMaxPipeWait;
    const Key pipe(status.st_dev, status.st_ino);
    {
      const MutexLock lock(pipes_mutex_);
      while (reading_.count(pipe) != 0) {
        if (!turn_over_.wait_until(pipes_mutex_, deadline)) return not_written_in_time(file);
      }
      if (const auto found = kept_.find(pipe); found != kept_.end()) return found->second;
      reading_.insert(pipe);
    }
    const Turn turn(*this, pipe);
    const Descriptor descriptor(open_for_reading(file.path));
    if (descriptor.number() < 0) return unreadable(file, errno);
    struct stat opened {};
    if (::fstat(descriptor.number(), &opened) != 0) return unreadable(file, errno);
    if (Key(opened.st_dev, opened.st_ino) != pipe) return replaced(file);
    auto content = read_to_end(file, descriptor.number(), max_size, deadline);
    if (!content || !is_anonymous_pipe(descriptor.number())) return content;
    const MutexLock lock(pipes_mutex_);
    if (kept_.size() < kMaxKeptPipes) kept_.emplace(pipe, *content);
    return content;
  }

 private:
  using Key = std::pair<dev_t, ino_t>;

  class Turn {
   public:
    Turn(PipeReader& reader, const Key& pipe) : reader_(reader), pipe_(pipe) {}
    ~Turn() {
      {
        const MutexLock lock(reader_.pipes_mutex_);
        reader_.reading_.erase(pipe_);
      }
      reader_.turn_over_.notify_all();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    PipeReader& reader_;
    const Key pipe_;
  };

  Mutex pipes_mutex_;
  ConditionVariable turn_over_;
  std::set<Key> reading_ KSR_GUARDED_BY(pipes_mutex_);
  std::map<Key, std::string> kept_ KSR_GUARDED_BY(pipes_mutex_);
};

// Never destroyed: a stream may be opened while the process exits.
PipeReader& pipe_reader() {
  static PipeReader* const reader = new PipeReader;
  return *reader;
}

bool is_null_device(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

enum class NullDevice { is_empty, is_refused };

Expected<std::string> read_file_or_pipe(const NamedFile& file, std::size_t max_size, NullDevice null_device) {
  struct stat status {};
  if (::stat(file.path.c_str(), &status) != 0) return unreadable(file, errno);
  if (S_ISFIFO(status.st_mode)) return pipe_reader().read(file, status, max_size);
  const Descriptor descriptor(open_for_reading(file.path));
  if (descriptor.number() < 0) return unreadable(file, errno);
  if (::fstat(descriptor.number(), &status) != 0) return unreadable(file, errno);
  const bool may_be_null = null_device == NullDevice::is_empty;
  if (may_be_null && is_null_device(status)) return std::string();
  if (S_ISFIFO(status.st_mode)) return replaced(file);
  if (!S_ISREG(status.st_mode)) {
    return unreadable(
        file, may_be_null ? "it is not a regular file, a pipe or /dev/null" : "it is not a regular file or a pipe");
  }
  return read_to_end(file, descriptor.number(), max_size, std::nullopt);
}

// /dev/fd/3, /proc/self/fd/3: another file once the descriptor is another.
bool names_descriptor(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
  const std::string directory = whole.parent_path().string();
  if (directory == "/dev/fd" || whole == "/dev/stdin") return true;
  const auto parts = split(std::string_view(directory), '/');
  return parts.size() == 4 && parts[1] == "proc" && parts[3] == "fd";
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
  return read_file_or_pipe(file, kMaxKubeconfigSize, NullDevice::is_empty);
}

Expected<std::string> read_credential_file(const NamedFile& file) {
  return read_file_or_pipe(file, kMaxCredentialFileSize, NullDevice::is_refused);
}

bool is_pipe(const std::string& path) {
  std::error_code failure;
  return std::filesystem::is_fifo(path, failure);
}

bool is_read_once(const std::string& path) {
  return names_descriptor(path) || is_pipe(path);
}

Expected<std::string> read_token_file(const NamedFile& file) {
  auto content = read_credential_file(file);
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

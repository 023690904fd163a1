#include "cluster/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

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
  return {Status::invalid, file.role + ": cannot read " + one_line(file.path) + ": " + reason};
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

}  // namespace

std::string NamedFile::text() const {
  return role + " " + one_line(path);
}

Expected<std::string> read_file(const NamedFile& file, std::size_t max_size) {
  const Descriptor descriptor(open_for_reading(file.path));
  if (descriptor.number() < 0) return unreadable(file, errno);
  struct stat status {};
  if (::fstat(descriptor.number(), &status) != 0) return unreadable(file, errno);
  if (!S_ISREG(status.st_mode)) return unreadable(file, "it is not a regular file");

  std::string content;
  char block[16 * 1024];
  for (;;) {
    const ssize_t count = ::read(descriptor.number(), block, sizeof block);
    if (count == 0) return content;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(file, errno);
    content.append(block, static_cast<std::size_t>(count));
    if (content.size() > max_size) {
      return unreadable(file, "it is larger than " + std::to_string(max_size) + " bytes");
    }
  }
}

Expected<std::string> read_token_file(const NamedFile& file) {
  auto content = read_file(file, kMaxCredentialFileSize);
  if (!content) return content;
  std::string token(trimmed(*content));
  if (token.empty())
    return Error{Status::invalid, file.role + ": " + one_line(file.path) + " is empty; expected a bearer token"};
  if (has_control_characters(token)) {
    return Error{Status::invalid,
                 file.role + ": " + one_line(file.path) + " holds control characters; expected one bearer token"};
  }
  return token;
}

}  // namespace ksr::cluster

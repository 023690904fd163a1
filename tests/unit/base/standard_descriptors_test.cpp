#include "base/standard_descriptors.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

using ksr::StandardDescriptorsReserved;

namespace {

// Closes the standard streams while it exists.
class StandardStreamsClosed {
 public:
  StandardStreamsClosed() {
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      kept_[descriptor] = fcntl(descriptor, F_DUPFD_CLOEXEC, 10);
      close(descriptor);
    }
  }
  ~StandardStreamsClosed() {
    for (int descriptor = 0; descriptor < 3; ++descriptor) {
      close(descriptor);
      if (kept_[descriptor] < 0) continue;
      dup2(kept_[descriptor], descriptor);
      close(kept_[descriptor]);
    }
  }
  StandardStreamsClosed(const StandardStreamsClosed&) = delete;
  StandardStreamsClosed& operator=(const StandardStreamsClosed&) = delete;

 private:
  int kept_[3];
};

bool is_open(int descriptor) {
  return fcntl(descriptor, F_GETFD) >= 0;
}

int open_one() {
  const StandardDescriptorsReserved reserved;
  return open("/dev/null", O_RDWR | O_CLOEXEC);
}

}  // namespace

TEST_CASE("what is opened lands on 3 or above though the standard streams are closed, and they stay closed") {
  int opened = -1;
  bool left_open = false;
  char byte = 0;
  ssize_t written = 0;
  ssize_t got = -1;
  {
    const StandardStreamsClosed closed;
    opened = open_one();
    left_open = is_open(0) || is_open(1) || is_open(2);
    const StandardDescriptorsReserved reserved;
    written = write(1, &byte, 1);
    got = read(0, &byte, 1);
  }
  CHECK(opened >= 3);
  close(opened);
  CHECK_FALSE(left_open);
  // As if they were closed, or at their end.
  CHECK(written == -1);
  CHECK(got == 0);
}

TEST_CASE("they are held until the last user is done, and what the host puts there meanwhile stays") {
  bool held_by_second = false;
  bool host_file_stayed = false;
  bool another_closed = false;
  int opened = -1;
  {
    const StandardStreamsClosed closed;
    auto first = std::make_unique<StandardDescriptorsReserved>();
    auto second = std::make_unique<StandardDescriptorsReserved>();
    first.reset();
    held_by_second = is_open(0) && is_open(1) && is_open(2);
    const int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    dup2(file, 1);
    close(2);
    opened = open_one();
    second.reset();
    host_file_stayed = is_open(1);
    another_closed = !is_open(0) && !is_open(2);
    close(file);
  }
  CHECK(held_by_second);
  CHECK(opened >= 3);
  close(opened);
  CHECK(host_file_stayed);
  CHECK(another_closed);
}

TEST_CASE("errno is left as it was") {
  errno = ENOTTY;
  { const StandardDescriptorsReserved reserved; }
  CHECK(errno == ENOTTY);
}

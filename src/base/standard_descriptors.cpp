#include "base/standard_descriptors.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/mutex.hpp"

namespace ksr {
namespace {

constexpr int kStandardDescriptors = 3;

struct Reservation {
  Mutex reservation_mutex;
  int users KSR_GUARDED_BY(reservation_mutex) = 0;
  // Which of them are held, and the pipe that they are: no other file is the same.
  bool held[kStandardDescriptors] KSR_GUARDED_BY(reservation_mutex) = {};
  dev_t device KSR_GUARDED_BY(reservation_mutex) = 0;
  ino_t inode KSR_GUARDED_BY(reservation_mutex) = 0;
};

// Constant-initialised and without a destructor: usable while the process exits, too.
Reservation reservation;

class ErrnoScope {
 public:
  ErrnoScope() = default;
  ~ErrnoScope() { errno = before_; }
  ErrnoScope(const ErrnoScope&) = delete;
  ErrnoScope& operator=(const ErrnoScope&) = delete;

 private:
  const int before_ = errno;
};

bool is_open(int descriptor) noexcept {
  return fcntl(descriptor, F_GETFD) >= 0;
}

bool all_open() noexcept {
  for (int descriptor = 0; descriptor < kStandardDescriptors; ++descriptor) {
    if (!is_open(descriptor)) return false;
  }
  return true;
}

bool is_held(int descriptor) KSR_REQUIRES(reservation.reservation_mutex) {
  struct stat status {};
  return fstat(descriptor, &status) == 0 && status.st_dev == reservation.device && status.st_ino == reservation.inode;
}

// The end of a pipe to read from whose other end is closed.
int open_held_file() noexcept {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  close(ends[1]);
  return ends[0];
}

// On the lowest descriptor that is free; one file for all of them.
int hold_lowest() KSR_REQUIRES(reservation.reservation_mutex) {
  for (int descriptor = 0; descriptor < kStandardDescriptors; ++descriptor) {
    if (reservation.held[descriptor] && is_held(descriptor)) return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  }
  return open_held_file();
}

void hold_closed_ones() KSR_REQUIRES(reservation.reservation_mutex) {
  for (int lowest = hold_lowest(); lowest >= 0; lowest = hold_lowest()) {
    if (lowest >= kStandardDescriptors) {
      close(lowest);
      return;
    }
    struct stat status {};
    fstat(lowest, &status);
    reservation.device = status.st_dev;
    reservation.inode = status.st_ino;
    reservation.held[lowest] = true;
  }
}

}  // namespace

StandardDescriptorsReserved::StandardDescriptorsReserved() noexcept {
  const ErrnoScope errno_of_the_host;
  const MutexLock lock(reservation.reservation_mutex);
  ++reservation.users;
  if (!all_open()) hold_closed_ones();
}

StandardDescriptorsReserved::~StandardDescriptorsReserved() {
  const ErrnoScope errno_of_the_call;
  const MutexLock lock(reservation.reservation_mutex);
  if (--reservation.users > 0) return;
  for (int descriptor = 0; descriptor < kStandardDescriptors; ++descriptor) {
    if (reservation.held[descriptor] && is_held(descriptor)) close(descriptor);
    reservation.held[descriptor] = false;
  }
}

}  // namespace ksr

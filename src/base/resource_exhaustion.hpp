// `is_resource_exhaustion` tells a system call that failed because this process, or this machine, has no more
// descriptors, buffers or memory from one that failed for what it was asked; used wherever descriptors are opened.
// Any thread.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/error.hpp"
#include "base/standard_descriptors.hpp"

namespace ksr {

inline bool is_resource_exhaustion(int error_number) noexcept {
  return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS || error_number == ENOMEM;
}

// It says nothing about the peer, and passes: `out_of_memory`, which has no HTTP status. "STEP: Too many open files".
inline Error resource_exhausted(const std::string& step, int error_number) {
  return Error{Status::out_of_memory, step + ": " + std::error_code(error_number, std::generic_category()).message()};
}

// For third-party code that hides why it could not open a file: the error number, 0 where one can be opened now.
inline int lack_of_descriptors() noexcept {
  const StandardDescriptorsReserved reserved;
  const int descriptor = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return is_resource_exhaustion(errno) ? errno : 0;
  ::close(descriptor);
  return 0;
}

}  // namespace ksr

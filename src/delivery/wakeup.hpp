// `Wakeup` is the descriptor that is readable while ksr_dispatch has something to do (delivery=manual); used by
// CallbackDispatcher, whose mutex guards it.
#pragma once

#include <memory>

#include "base/expected.hpp"
#include "base/instant.hpp"

namespace ksr::delivery {

class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int descriptor) noexcept : descriptor_(descriptor) {}
  FileDescriptor(FileDescriptor&& other) noexcept;
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const noexcept { return descriptor_; }

 private:
  int descriptor_ = -1;
};

class Wakeup {
 public:
  // `timed`: signal_at will be used; otherwise its descriptor is made when it is needed.
  static Expected<Wakeup> create(bool timed);

  int fd() const noexcept { return poll_.get(); }
  void signal() noexcept;
  // At once where there can be no timer.
  void signal_at(Instant at) noexcept;
  void clear() noexcept;

 private:
  bool make_timer() noexcept;

  FileDescriptor event_;
  FileDescriptor timer_;
  FileDescriptor poll_;
};

}  // namespace ksr::delivery

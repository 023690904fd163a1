#include "delivery/wakeup.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "base/resource_exhaustion.hpp"
#include "base/standard_descriptors.hpp"

namespace ksr::delivery {
namespace {

Error no_descriptor(const char* call) {
  if (is_resource_exhaustion(errno)) return resource_exhausted(std::string("delivery: ") + call, errno);
  return Error{Status::internal, std::string("delivery: ") + call + ": " + std::strerror(errno)};
}

bool watch(int poll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  return epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void drain(int descriptor) noexcept {
  std::uint64_t count = 0;
  while (read(descriptor, &count, sizeof count) < 0 && errno == EINTR) {
  }
}

}  // namespace

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

Expected<Wakeup> Wakeup::create(bool timed) {
  const StandardDescriptorsReserved reserved;
  Wakeup wakeup;
  wakeup.event_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (wakeup.event_.get() < 0) return no_descriptor("eventfd");
  wakeup.poll_ = FileDescriptor(epoll_create1(EPOLL_CLOEXEC));
  if (wakeup.poll_.get() < 0) return no_descriptor("epoll_create1");
  if (!watch(wakeup.poll_.get(), wakeup.event_.get())) return no_descriptor("epoll_ctl");
  if (timed && !wakeup.make_timer()) return no_descriptor("timerfd_create");
  return wakeup;
}

bool Wakeup::make_timer() noexcept {
  FileDescriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (timer.get() < 0 || !watch(poll_.get(), timer.get())) return false;
  timer_ = std::move(timer);
  return true;
}

void Wakeup::signal() noexcept {
  const std::uint64_t one = 1;
  while (write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
  }
}

void Wakeup::signal_at(Instant at) noexcept {
  if (timer_.get() < 0) {
    const StandardDescriptorsReserved reserved;
    if (!make_timer()) return signal();
  }
  using std::chrono::nanoseconds;
  // Zero would disarm the timer instead of firing it.
  const auto since_boot =
      std::max<std::int64_t>(1, std::chrono::duration_cast<nanoseconds>(at.time_since_epoch()).count());
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(since_boot / 1'000'000'000);
  when.it_value.tv_nsec = static_cast<long>(since_boot % 1'000'000'000);
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr);
}

void Wakeup::clear() noexcept {
  drain(event_.get());
  if (timer_.get() >= 0) drain(timer_.get());
}

}  // namespace ksr::delivery

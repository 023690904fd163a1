#include "stream/fork_guard.hpp"

#include <unistd.h>

#include <atomic>

namespace ksr::stream {
namespace {

std::atomic<pid_t> owner_process{0};

}  // namespace

void claim_process() noexcept {
  pid_t unclaimed = 0;
  owner_process.compare_exchange_strong(unclaimed, getpid());
}

bool in_forked_child() noexcept {
  const pid_t claimed = owner_process.load();
  return claimed != 0 && claimed != getpid();
}

}  // namespace ksr::stream

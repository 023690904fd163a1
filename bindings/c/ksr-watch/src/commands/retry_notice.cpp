#include "commands/retry_notice.hpp"

#include <chrono>
#include <system_error>
#include <utility>

namespace ksr::commands {
namespace {

constexpr std::chrono::milliseconds kPatience{1'000};
constexpr std::chrono::milliseconds kBetweenLooks{200};

}  // namespace

RetryNotice::RetryNotice(ksr_client* client, Report& report, std::string line)
    : client_(client), report_(report), line_(std::move(line)), retries_before_(retries()) {
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    // Without a thread nothing is told; the call is what matters.
  }
}

RetryNotice::~RetryNotice() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  ended_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RetryNotice::run() {
  std::unique_lock lock(mutex_);
  auto wait = kPatience;
  while (!ended_changed_.wait_for(lock, std::exchange(wait, kBetweenLooks), [this] { return ended_; })) {
    if (retries() == retries_before_) continue;
    report_.note(line_);
    return;
  }
}

std::uint64_t RetryNotice::retries() const {
  std::uint64_t count = 0;
  ksr_client_stat(client_, "retries", &count);
  return count;
}

}  // namespace ksr::commands

#include "commands/poll_set.hpp"

namespace ksr::commands {

std::size_t PollSet::add(int fd, short events) {
  entries_.push_back({fd, events, 0});
  return entries_.size() - 1;
}

void PollSet::wait(int timeout_ms) {
  if (poll(entries_.data(), entries_.size(), timeout_ms) > 0) return;
  for (pollfd& entry : entries_) entry.revents = 0;
}

}  // namespace ksr::commands

// `PollSet` waits for several descriptors at once, among them that of a client; used by the commands that open
// channels. Main thread.
#pragma once

#include <poll.h>

#include <cstddef>
#include <vector>

namespace ksr::commands {

class PollSet {
 public:
  void clear() { entries_.clear(); }
  // `events` 0: its end alone. A descriptor below zero is never ready. The place is for ready().
  std::size_t add(int fd, short events);
  // At most `timeout_ms`, below zero without a limit; a signal ends it too.
  void wait(int timeout_ms);
  // POLLERR, POLLHUP and so on included.
  bool ready(std::size_t place) const { return events_at(place) != 0; }
  short events_at(std::size_t place) const { return entries_[place].revents; }

 private:
  std::vector<pollfd> entries_;
};

}  // namespace ksr::commands

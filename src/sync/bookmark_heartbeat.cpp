#include "sync/bookmark_heartbeat.hpp"

#include <algorithm>

namespace ksr::sync {

void BookmarkHeartbeat::note_bookmark(Instant now) {
  if (last_) {
    intervals_[noted_ % intervals_.size()] = std::chrono::duration_cast<Milliseconds>(now - *last_);
    ++noted_;
  }
  last_ = now;
}

std::optional<Milliseconds> BookmarkHeartbeat::silence_limit() const {
  if (noted_ == 0) return std::nullopt;
  // The median, since one bookmark more comes shortly before the watch's timeout, and a stall makes one interval long.
  auto sorted = intervals_;
  const std::size_t count = std::min(noted_, sorted.size());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(sorted.begin(), middle, sorted.begin() + static_cast<std::ptrdiff_t>(count));
  return std::max(kMinSilence, *middle * 5 / 2);
}

}  // namespace ksr::sync

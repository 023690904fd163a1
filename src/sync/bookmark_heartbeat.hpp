// The server's bookmarks as a heartbeat. Lives with its reflector.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "base/instant.hpp"

namespace ksr::sync {

// The watch cache sends a bookmark about every minute (apiserver cacher.go, bookmarkFrequency). A watch that has been
// silent for 2.5 times the rhythm it showed, and for 90 s at least, is dead whatever TCP says.
class BookmarkHeartbeat {
 public:
  static constexpr Milliseconds kMinSilence{90'000};

  void note_bookmark(Instant now);
  // Another watch: the time to its first bookmark says nothing about the rhythm.
  void begin_watch() noexcept { last_.reset(); }
  // Empty until two bookmarks came on one watch.
  std::optional<Milliseconds> silence_limit() const;

 private:
  std::array<Milliseconds, 5> intervals_{};
  std::size_t noted_ = 0;
  std::optional<Instant> last_;
};

}  // namespace ksr::sync

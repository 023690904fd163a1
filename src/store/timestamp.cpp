#include "store/timestamp.hpp"

#include "base/civil_time.hpp"

namespace ksr::store {
namespace {

constexpr std::int64_t kNanosecondsInSecond = 1'000'000'000;
constexpr std::int64_t kLatestSecond = std::numeric_limits<std::int64_t>::max() / kNanosecondsInSecond - 1;

}  // namespace

std::int64_t parse_timestamp(std::string_view text) noexcept {
  const std::optional<UnixTime> time = parse_rfc3339(text);
  if (!time) return kNoTime;
  if (time->seconds > kLatestSecond) return std::numeric_limits<std::int64_t>::max();
  if (time->seconds < -kLatestSecond) return kNoTime + 1;
  return time->seconds * kNanosecondsInSecond + time->nanoseconds;
}

}  // namespace ksr::store

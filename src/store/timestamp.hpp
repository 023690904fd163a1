// `parse_timestamp` converts RFC 3339 timestamps to numbers that order as the times do, whatever their precision or
// offset; used by Object. Any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

namespace ksr::store {

inline constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

// Nanoseconds since 1970 (finer digits are cut off); times beyond what 64 bits hold (1677 to 2262) are their ends, the
// early end one above kNoTime. kNoTime: the text is empty or no timestamp. A leap second is the second that follows it.
std::int64_t parse_timestamp(std::string_view text) noexcept;

}  // namespace ksr::store

// `parse_bounded_json` parses JSON from outside within bounds of memory, and so of values and time; used for discovery
// and exec plugins. Any thread.
#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace ksr::cluster {

// Of its values; depth is bounded by Boost.JSON (32 levels).
inline constexpr std::size_t kMaxJsonMemory = std::size_t{256} << 20;

// Without a byte order mark. Empty: it is not JSON, or it is beyond the bounds.
std::optional<boost::json::value> parse_bounded_json(std::string_view text, std::size_t max_memory = kMaxJsonMemory);

}  // namespace ksr::cluster

// Times as Kubernetes writes them. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "cluster/process_environment.hpp"

namespace ksr::cluster {

// "2026-01-02T03:04:05Z", with or without a fraction, with Z or an offset such as +02:00.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace ksr::cluster

// Errors and Statuses as json and transport make them; used by the unit tests and the simulation.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/instant.hpp"
#include "json/api_status.hpp"

namespace ksr::sync::testing {

Error http_error(int code, std::optional<Milliseconds> retry_after = std::nullopt);
Error unreachable_error();
Error timeout_error();
Error protocol_error();
Error unknown_protobuf_error();
json::ApiStatus api_status(int code, std::string reason, std::string message = "no");

}  // namespace ksr::sync::testing

// `read_object` finds the object in the body of an answer that is a success by its HTTP status, or the failure that it
// is all the same; used by Client and by the tables of ksr-watch. Any thread.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <variant>

#include "commands/report.hpp"

namespace ksr::commands {

// The key max_body of requests for objects: a page of 500 objects of the largest size that etcd takes, 1.5 MiB.
constexpr const char* kMaxAnswer = "1Gi";

// `request`: what was asked for, such as `get of v1/pods`.
std::variant<boost::json::value, Failure> read_object(std::string_view body, const std::string& request);

}  // namespace ksr::commands

// `for_each_page` asks for a list, one page after the other; used by get, delete and wait. Main thread.
#pragma once

#include <boost/json.hpp>

#include <functional>
#include <optional>

#include "commands/session.hpp"

namespace ksr::commands {

// `take` gets each page, and may empty it. What has failed, where a page could not be had; an error where the list
// would not end.
Expected<std::optional<Failure>> for_each_page(Session& session, Request list, const Target& target,
                                               const std::function<void(boost::json::value&)>& take);

}  // namespace ksr::commands

// `usage_error` says what is wrong with what the user asked for; used by all commands. Any thread.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

namespace ksr::commands {

inline Error usage_error(std::string what) {
  return {Status::invalid, std::move(what)};
}

}  // namespace ksr::commands

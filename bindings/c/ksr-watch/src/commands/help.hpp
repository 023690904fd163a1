// The texts of --help; used by main. Any thread.
#pragma once

#include <string>

#include "commands/arguments.hpp"

namespace ksr::commands {

// Of the program for Command::none.
std::string help_of(Command command);

}  // namespace ksr::commands

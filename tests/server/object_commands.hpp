// The script commands that create, update and delete objects; used by Script. They throw std::runtime_error with the
// reason. Lives on the server's thread.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "server/world.hpp"

namespace ksr::testserver {

using Words = std::vector<std::string>;

// create TYPE [NS/]NAME [label=value…] [{json}]
void create_object(World& world, const Words& words);
// update TYPE [NS/]NAME [label=value…] [{json merge patch}]; without either, a counter in an annotation is incremented.
void update_object(World& world, const Words& words);
// delete TYPE [NS/]NAME
void delete_object(World& world, const Words& words);
// populate TYPE COUNT [prefix=P] [ns=NS]
void populate(World& world, const Words& words);
// Creates, updates and deletes one object at a time, without end.
void churn(World& world, const std::string& type, std::chrono::milliseconds interval);

}  // namespace ksr::testserver

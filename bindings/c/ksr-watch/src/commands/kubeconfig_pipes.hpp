// `replace_kubeconfig_pipes` makes kubeconfigs that are pipes readable more than once; used by main and by
// server_context. At the start, while there is one thread.
#pragma once

#include "base/expected.hpp"
#include "commands/arguments.hpp"

namespace ksr::commands {

// The library reads kubeconfigs, and so does Session, for the namespace; what a pipe held comes once. Each pipe of
// --kubeconfig, or else of KUBECONFIG, is replaced by a file in memory.
Expected<void> replace_kubeconfig_pipes(Arguments& arguments);
Expected<void> replace_kubeconfig_pipes_of_environment();

}  // namespace ksr::commands

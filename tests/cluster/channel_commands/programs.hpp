// kubectl and ksr on the shared cluster, with the same arguments; used by cluster.channel-commands. On the test's
// thread.
#pragma once

#include <string>
#include <vector>

#include "cluster/channel_commands/started_program.hpp"
#include "cluster/harness/node.hpp"

namespace ksr::clustertest {

// One for all tests that do not kill it.
Node& shared_node();

using Words = std::vector<std::string>;

// Command lines in a namespace, as the admin.
Words ksr_command(const std::string& ns, const Words& words);
Words kubectl_command(const std::string& ns, const Words& words);

struct End {
  int status = -1;
  std::string output;
  std::string errors;
};

End run(const Words& argv, const std::string& input = "");
enum class Compare {
  output,
  // Standard error too.
  errors,
  // The lines of the output in any order: kubectl takes several logs as they come out of a map.
  lines,
};

std::vector<std::string> sorted_lines(const std::string& text);

// Checks with doctest that both end and write the same, and say something on standard error or nothing. What ksr wrote.
End run_both(const std::string& ns, const Words& words, const std::string& input = "",
             Compare compare = Compare::output);
// Of a line of bash, where $ksr and $kubectl are the programs in the namespace.
Words shell(const std::string& ns, const std::string& line);

}  // namespace ksr::clustertest

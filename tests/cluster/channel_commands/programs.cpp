#include "cluster/channel_commands/programs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>

#include "cluster/harness/cluster.hpp"

namespace ksr::clustertest {
namespace {

// Another one, such as one with sanitizers, in the environment.
std::string path_of_ksr() {
  const char* given = std::getenv("KSR_PROGRAM");
  return given != nullptr ? given : KSR_PROGRAM;
}

Words command(const std::string& program, const std::string& ns, const Words& words) {
  Cluster& cluster = Cluster::shared();
  Words argv{program, "--server=" + cluster.url(), "--certificate-authority=" + cluster.ca_file(),
             "--token=" + admin_user().token, "--namespace=" + ns};
  argv.insert(argv.end(), words.begin(), words.end());
  return argv;
}

std::string joined(const Words& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

}  // namespace

Node& shared_node() {
  static Node node(Cluster::shared());
  return node;
}

Words ksr_command(const std::string& ns, const Words& words) {
  return command(path_of_ksr(), ns, words);
}

Words kubectl_command(const std::string& ns, const Words& words) {
  return command(cluster_program("kubectl").string(), ns, words);
}

End run(const Words& argv, const std::string& input) {
  StartedProgram program(argv, StartedProgram::Input::content, input);
  const int status = program.wait();
  return {status, program.output(), program.errors()};
}

std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

End run_both(const std::string& ns, const Words& words, const std::string& input, Compare compare) {
  const End by_kubectl = run(kubectl_command(ns, words), input);
  const End by_ksr = run(ksr_command(ns, words), input);
  const std::string line = joined(words);
  CAPTURE(line);
  CAPTURE(by_kubectl.errors);
  CAPTURE(by_ksr.errors);
  CHECK(by_ksr.status == by_kubectl.status);
  // Not with CHECK(a == b), which would write out megabytes.
  const bool same_output = compare == Compare::lines ? sorted_lines(by_ksr.output) == sorted_lines(by_kubectl.output)
                                                     : by_ksr.output == by_kubectl.output;
  CHECK_MESSAGE(same_output, by_ksr.output.substr(0, 2'000), "\nexpected\n", by_kubectl.output.substr(0, 2'000));
  if (compare == Compare::errors) CHECK(by_ksr.errors == by_kubectl.errors);
  CHECK(by_ksr.errors.empty() == by_kubectl.errors.empty());
  CHECK(by_ksr.errors.find(admin_user().token) == std::string::npos);
  return by_ksr;
}

Words shell(const std::string& ns, const std::string& line) {
  return {"/bin/bash", "-c",
          "ksr='" + joined(ksr_command(ns, {})) + "'; kubectl='" + joined(kubectl_command(ns, {})) + "'; " + line};
}

}  // namespace ksr::clustertest

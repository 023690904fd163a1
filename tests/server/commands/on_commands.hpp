// `CommandServer` is a scriptable server and runs the program ksr against it; used by the tests of server.commands.
// Lives on the test's thread.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cluster/channel_commands/started_program.hpp"
#include "server/api_server.hpp"

namespace ksr::testing {

struct CommandEnd {
  int status = -1;
  std::string output;
  std::string errors;
};

class CommandServer {
 public:
  using Program = clustertest::StartedProgram;

  CommandServer() : server(options()) {}

  std::unique_ptr<Program> start(std::vector<std::string> arguments, const std::string& input = "") const {
    return std::make_unique<Program>(command(std::move(arguments)), Program::Input::content, input);
  }

  // The arguments of the program, itself first.
  std::vector<std::string> command(std::vector<std::string> arguments) const {
    // Behind the command: what follows -- is for a container.
    const std::vector<std::string> where{"--server", server.url(), "--token", kToken, "-n", "default"};
    arguments.insert(arguments.begin() + 1, where.begin(), where.end());
    arguments.insert(arguments.begin(), program());
    return arguments;
  }

  CommandEnd run(const std::vector<std::string>& arguments, const std::string& input = "") const {
    const auto program = start(arguments, input);
    const int status = program->wait();
    return {status, program->output(), program->errors()};
  }

  // In bash: $0 is the program, $1 a kubeconfig (its text) of namespace shop, $2 the token, which a kubeconfig's user
  // has over TLS alone.
  CommandEnd run_in_shell(const std::string& line) const {
    const std::string kubeconfig =
        R"({"clusters":[{"name":"c","cluster":{"server":")" + server.url() +
        R"("}}],"contexts":[{"name":"x","context":{"cluster":"c","namespace":"shop"}}],"current-context":"x"})";
    const auto shell = std::make_unique<Program>(
        std::vector<std::string>{"/bin/bash", "-c", line, program(), kubeconfig, kToken}, Program::Input::content);
    const int status = shell->wait();
    return {status, shell->output(), shell->errors()};
  }

  testserver::ApiServer server;

 private:
  static constexpr const char* kToken = "token-of-the-command-tests";

  // Another one, such as one with sanitizers, in the environment.
  static std::string program() {
    const char* given = std::getenv("KSR_PROGRAM");
    return given != nullptr ? given : KSR_PROGRAM;
  }

  static testserver::ServerOptions options() {
    testserver::ServerOptions options;
    options.tokens.push_back({kToken, "admin"});
    return options;
  }
};

inline bool is_one_line(const std::string& text) {
  return !text.empty() && text.find('\n') == text.size() - 1;
}

}  // namespace ksr::testing

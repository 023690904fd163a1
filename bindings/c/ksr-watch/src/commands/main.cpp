// ksr: the commands of kubectl that read and change objects and that reach into containers, over libksr; as ksr-watch,
// or with the command watch, the viewer of the C sources beside this directory.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "commands/commands.hpp"
#include "commands/help.hpp"
#include "commands/kubeconfig_pipes.hpp"

extern "C" {
#include "server_context.h"
#include "watch_main.h"
}

using namespace ksr;
using namespace ksr::commands;

namespace {

constexpr int kFailed = 1;

std::string version_text() {
  return std::string("ksr " KSR_WATCH_VERSION ", libksr ") + ksr_version_string() + "\n" + ksr_build_info() + "\n";
}

bool is_called(const char* program, const char* name) {
  const char* slash = std::strrchr(program, '/');
  return std::strcmp(slash == nullptr ? program : slash + 1, name) == 0;
}

Expected<void> run(Session& session, Outcome& outcome) {
  switch (session.arguments().command) {
    case Command::get:
      return run_get(session);
    case Command::create:
      return run_create(session);
    case Command::apply:
      return run_apply(session);
    case Command::remove:
      return run_delete(session);
    case Command::patch:
      return run_patch(session);
    case Command::raw:
      return run_raw(session);
    case Command::can_i:
      return run_can_i(session, outcome);
    case Command::logs:
      return run_logs(session);
    case Command::wait:
      return run_wait(session);
    case Command::exec:
      return run_exec(session, outcome);
    case Command::attach:
      return run_attach(session, outcome);
    case Command::port_forward:
      return run_port_forward(session, outcome);
    case Command::none:
    case Command::watch:
      break;
  }
  return {};
}

Outcome carry_out(const Arguments& arguments, Output& output, Report& report) {
  Outcome outcome;
  Expected<Client> client = Client::open(arguments, report);
  if (!client) {
    report.error(client.error());
    return outcome;
  }
  Session session(arguments, *std::move(client), output, report);
  if (const Expected<void> done = run(session, outcome); !done) report.error(done.error());
  return outcome;
}

int run_command(const Arguments& arguments) {
  Output output;
  Report report;
  Outcome outcome;
  if (arguments.flag("--version")) {
    output.write(version_text());
  } else if (arguments.flag("--help") || arguments.command == Command::none) {
    output.write(help_of(arguments.command));
  } else {
    outcome = carry_out(arguments, output, report);
  }
  if (output.error() != 0) report.error(std::string("standard output: ") + std::strerror(output.error()));
  if (outcome.signal != 0) {
    // The caller is to see what has ended it.
    signal(outcome.signal, SIG_DFL);
    raise(outcome.signal);
  }
  if (outcome.status != 0) return outcome.status;
  return report.has_errors() ? kFailed : EXIT_SUCCESS;
}

// Help or the version, which need no cluster.
bool only_tells(const Arguments& arguments) {
  return arguments.flag("--version") || arguments.flag("--help") || arguments.command == Command::none;
}

bool is_get_with_watch(const Arguments& arguments) {
  return arguments.command == Command::get && arguments.flag("--watch") && !only_tells(arguments);
}

Expected<void> add_context_of_server(Arguments& arguments) {
  std::vector<setting> settings;
  for (Setting& one : arguments.settings) settings.push_back({one.option.c_str(), one.key.c_str(), one.value.data()});
  struct text context = {};
  struct text problem = {};
  const bool found = server_context_find(settings.data(), settings.size(), &context, &problem) != 0;
  const std::string name(context.len > 0 ? context.at : "", context.len);
  Error failure{Status::invalid, std::string(problem.len > 0 ? problem.at : "", problem.len)};
  text_free(&context);
  text_free(&problem);
  if (!found) return failure;
  if (!name.empty()) arguments.settings.push_back({"--context", "context", name});
  return {};
}

// What the library is to read, and how.
Expected<void> settle_kubeconfig(Arguments& arguments) {
  if (Expected<void> replaced = replace_kubeconfig_pipes(arguments); !replaced) return replaced;
  return add_context_of_server(arguments);
}

Expected<std::vector<std::string>> find_words_of_watch(const Arguments& arguments, Output& output, Report& report) {
  Expected<Client> client = Client::open(arguments, report);
  if (!client) return client.error();
  Session session(arguments, *std::move(client), output, report);
  return words_of_watch(session);
}

int watch_as_get(const Arguments& arguments) {
  Output output;
  Report report;
  Expected<std::vector<std::string>> words = find_words_of_watch(arguments, output, report);
  if (const Error* error = words.if_error()) {
    report.error(*error);
    return kFailed;
  }
  std::vector<char*> argv;
  for (std::string& word : *words) argv.push_back(word.data());
  argv.push_back(nullptr);
  signal(SIGPIPE, SIG_DFL);
  return watch_main_of_get(static_cast<int>(argv.size()) - 1, argv.data());
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_watch = argc > 0 && is_called(argv[0], "ksr-watch");
  if (!open_standard_files()) {
    std::fprintf(stderr, "%s: standard output is closed\n", is_watch ? "ksr-watch" : "error");
    return kFailed;
  }
  if (is_watch) return watch_main(argc, argv);
  // Writing to a reader that has gone is an error of write(), see Output.
  signal(SIGPIPE, SIG_IGN);
  Expected<Arguments> arguments = Arguments::read(argc, argv);
  if (const Error* error = arguments.if_error()) {
    Report().error(error->message + " (see ksr --help)");
    return kFailed;
  }
  if (arguments->command == Command::watch) {
    signal(SIGPIPE, SIG_DFL);
    return watch_main(static_cast<int>(arguments->watch_argv.size()) - 1, arguments->watch_argv.data());
  }
  if (!only_tells(*arguments)) {
    if (const Expected<void> settled = settle_kubeconfig(*arguments); !settled) {
      Report().error(settled.error());
      return kFailed;
    }
  }
  if (is_get_with_watch(*arguments)) return watch_as_get(*arguments);
  return run_command(*arguments);
}

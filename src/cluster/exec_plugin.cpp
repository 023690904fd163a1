#include "cluster/exec_plugin.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxLineLength = 200;
// Shorter runs are words; a slash ends a run, so that paths stay.
constexpr std::size_t kMinSecretLength = 28;

bool is_program(const std::string& path) {
  struct stat status {};
  return ::access(path.c_str(), X_OK) == 0 && ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

// As Go's exec.LookPath: the directories of PATH in order; relative ones are skipped.
std::optional<std::string> found_in_path(const std::string& name, const std::string& search_path) {
  for (const std::string_view directory : split(search_path, ':')) {
    if (directory.empty() || directory.front() != '/') continue;
    std::string candidate = std::string(directory) + "/" + name;
    if (is_program(candidate)) return candidate;
  }
  return std::nullopt;
}

std::vector<std::string> environment_of(const ExecPlan& plan) {
  std::vector<std::string> environment = plan.environment;
  const auto set = [&](const std::string& name, const std::string& value) {
    const std::string start = name + "=";
    const auto same_name = [&](const std::string& entry) { return entry.compare(0, start.size(), start) == 0; };
    environment.erase(std::remove_if(environment.begin(), environment.end(), same_name), environment.end());
    environment.push_back(start + value);
  };
  for (const auto& [name, value] : plan.stanza.variables) set(name, value);
  set("KUBERNETES_EXEC_INFO",
      exec_info(plan.stanza.api_version, plan.stanza.provide_cluster_info ? &plan.cluster : nullptr));
  return environment;
}

Error failed(const ExecPlan& plan, const std::string& reason) {
  return {Status::auth, plan.role + ": " + reason};
}

std::string with_stderr(std::string text, const ProgramResult& result) {
  const std::string line = last_line(result.stderr_tail);
  return line.empty() ? text : text + ": " + line;
}

// The characters of base64, of JWTs and of most other encodings.
bool may_be_secret(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos || c == '=';
}

std::string without_secrets(std::string_view line) {
  std::string shown;
  while (!line.empty()) {
    const auto end = std::find_if_not(line.begin(), line.end(), may_be_secret);
    const auto length = static_cast<std::size_t>(end - line.begin());
    const std::string_view run = line.substr(0, length);
    shown += run.size() < kMinSecretLength ? run : std::string_view("***");
    line.remove_prefix(length);
    if (line.empty()) break;
    shown += line.front();
    line.remove_prefix(1);
  }
  return shown;
}

}  // namespace

std::string last_line(const std::string& stderr_tail) {
  const std::string_view text = trimmed(stderr_tail);
  const std::size_t line_end = text.find_last_of("\r\n");
  const std::string_view line = line_end == std::string_view::npos ? text : text.substr(line_end + 1);
  return one_line(without_secrets(line), kMaxLineLength);
}

Expected<Credentials> run_exec_plugin(const ExecPlan& plan, const std::atomic<bool>& stop) {
  ProgramCall call;
  call.program = plan.stanza.command;
  if (call.program.find('/') == std::string::npos) {
    const auto found = found_in_path(call.program, plan.search_path);
    if (!found) {
      const std::string hint = plan.stanza.install_hint.empty() ? "" : ": " + last_line(plan.stanza.install_hint);
      return failed(plan, in_quotes(call.program) + " was not found in PATH" + hint);
    }
    call.program = *found;
  }
  call.arguments = plan.stanza.arguments;
  call.environment = environment_of(plan);
  call.timeout = plan.timeout;
  const auto result = run_program(call, stop);
  if (!result) return result.error().within(plan.role);
  if (result->signal != 0) {
    return failed(
        plan,
        with_stderr(one_line(call.program) + " was terminated by signal " + std::to_string(result->signal), *result));
  }
  if (result->exit_code != 0) {
    return failed(
        plan,
        with_stderr(one_line(call.program) + " failed with exit code " + std::to_string(result->exit_code), *result));
  }
  auto credentials = parse_exec_credential(result->output, plan.stanza.api_version);
  if (!credentials)
    return failed(plan, with_stderr(one_line(call.program) + ": " + credentials.error().message, *result));
  return credentials;
}

}  // namespace ksr::cluster

#include "cluster/exec_plugin.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <utility>

#include "base/escapes.hpp"
#include "base/secrets.hpp"
#include "base/text.hpp"

namespace ksr::cluster {
namespace {

constexpr std::size_t kMaxLineLength = 200;

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

std::string_view last_line(std::string_view text) {
  const std::string_view whole = trimmed(text);
  const std::size_t line_end = whole.find_last_of("\r\n");
  return line_end == std::string_view::npos ? whole : whole.substr(line_end + 1);
}

// The words of the plugin, without secrets: those that it was given and those that it printed as credentials, and what
// looks like one.
class PluginText {
 public:
  explicit PluginText(const ExecPlan& plan) {
    for (const auto& [name, value] : plan.stanza.variables) add_if_secret(name, value);
    for (const std::string& variable : plan.environment) {
      const std::size_t equals = variable.find('=');
      if (equals != std::string::npos) add_if_secret(variable.substr(0, equals), variable.substr(equals + 1));
    }
    const std::string* flag = nullptr;
    for (const std::string& argument : plan.stanza.arguments) {
      const std::size_t equals = argument.find('=');
      if (equals != std::string::npos) add_if_secret(argument.substr(0, equals), argument.substr(equals + 1));
      if (flag != nullptr && !argument.empty() && argument.front() != '-') secrets_.add(argument);
      flag = argument.size() > 1 && argument.front() == '-' && equals == std::string::npos && names_secret(argument)
                 ? &argument
                 : nullptr;
    }
  }

  // What it printed on standard output is not to be repeated, whether or not it can be parsed.
  void add_output(std::string_view output) {
    if (output.size() == std::exchange(output_size_, output.size())) return;
    if (parsed_times_++ < kMaxParsedTimes) add_fields(output);
    add_words(output);
  }
  void add_whole_output(std::string_view output) {
    add_fields(output);
    add_output(output);
  }

  std::string shown(std::string_view line, std::size_t max_size) const {
    return one_line(without_likely_secrets(secrets_.blanked(line)), max_size);
  }

 private:
  static constexpr int kMaxParsedTimes = 32;

  void add_if_secret(const std::string& name, const std::string& value) {
    if (names_secret(name)) secrets_.add(value);
  }

  void add_once(std::string_view secret) {
    if (printed_.emplace(secret).second) secrets_.add(secret);
  }

  void add_fields(std::string_view output) {
    for (const std::string& secret : secrets_of_exec_credential(std::string(output))) add_once(secret);
  }

  // Words of letters and the apiVersion are not secrets, but for what stands in the place of one.
  void add_words(std::string_view output) {
    constexpr std::string_view kBetween = " \t\r\n\",:{}[]'<>()";
    constexpr std::size_t kMaxWords = 64;
    bool is_named = false;
    for (std::size_t words = 0; words < kMaxWords;) {
      const std::size_t begin = output.find_first_not_of(kBetween);
      if (begin == std::string_view::npos) return;
      is_named = is_named && output.substr(0, begin).find(':') != std::string_view::npos;
      output.remove_prefix(begin);
      const std::string_view word = output.substr(0, output.find_first_of(kBetween));
      output.remove_prefix(word.size());
      const bool letters = std::all_of(word.begin(), word.end(), [](char c) { return is_lower(c) || is_upper(c); });
      const bool is_secret = std::exchange(is_named, names_secret(word) || word == "clientKeyData");
      if (!is_secret && (letters || word.size() < 4 || word.find("k8s.io") != std::string_view::npos)) continue;
      add_once(word);
      if (may_have_escapes(word, Escaping::json)) add_once(unescaped(word, Escaping::json).text);
      ++words;
    }
  }

  Secrets secrets_;
  std::set<std::string, std::less<>> printed_;
  std::size_t output_size_ = 0;
  int parsed_times_ = 0;
};

// A plugin that floods its standard error would have nothing else in the log.
class StderrLog {
 public:
  StderrLog(const ExecPlan& plan, const PluginText& text, Logger& logger) : plan_(plan), text_(text), logger_(logger) {}

  void add(std::string_view line) {
    if (++lines_ <= kMaxLines && logger_.wants(LogLevel::notice)) {
      log(text_.shown(line, kMaxForeignText));
    } else if (lines_ == kMaxLines + 1 && logger_.wants(LogLevel::notice)) {
      log("more lines are not logged");
    }
  }
  // The plugin has ended.
  void finish() {
    if (lines_ > kMaxLines && logger_.wants(LogLevel::notice)) {
      log(std::to_string(lines_ - kMaxLines) + " lines of its standard error were not logged");
    }
  }

 private:
  static constexpr std::size_t kMaxLines = 100;
  void log(const std::string& text) { logger_.log(LogLevel::notice, plan_.role + ": " + text); }

  const ExecPlan& plan_;
  const PluginText& text_;
  Logger& logger_;
  std::size_t lines_ = 0;
};

}  // namespace

Expected<Credentials> run_exec_plugin(const ExecPlan& plan, const std::atomic<bool>& stop, Logger& logger) {
  PluginText text(plan);
  ProgramCall call;
  call.program = plan.stanza.command;
  if (call.program.find('/') == std::string::npos) {
    const auto found = found_in_path(call.program, plan.search_path);
    if (!found) {
      const std::string hint =
          plan.stanza.install_hint.empty() ? "" : ": " + text.shown(plan.stanza.install_hint, kMaxForeignText);
      return failed(plan, in_quotes(call.program) + " was not found in PATH" + hint);
    }
    call.program = *found;
  }
  call.arguments = plan.stanza.arguments;
  call.environment = environment_of(plan);
  call.timeout = plan.timeout;
  call.inherits_stderr = plan.inherits_stderr;
  StderrLog stderr_log(plan, text, logger);
  call.on_stderr_line = [&](std::string_view line, std::string_view output) {
    text.add_output(output);
    stderr_log.add(line);
  };
  const auto result = run_program(call, stop);
  stderr_log.finish();
  if (!result) return result.error().within(plan.role);
  text.add_whole_output(result->output);
  const auto failed_with = [&](const std::string& what) {
    const std::string line = text.shown(last_line(result->stderr_tail), kMaxLineLength);
    return failed(plan, one_line(call.program) + what + (line.empty() ? "" : ": " + line));
  };
  if (result->signal != 0) return failed_with(" was terminated by signal " + std::to_string(result->signal));
  if (result->exit_code != 0) return failed_with(" failed with exit code " + std::to_string(result->exit_code));
  auto credentials = parse_exec_credential(result->output, plan.stanza.api_version);
  if (!credentials) return failed_with(": " + credentials.error().message);
  return credentials;
}

}  // namespace ksr::cluster

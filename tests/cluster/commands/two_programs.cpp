#include "cluster/commands/two_programs.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <regex>
#include <sstream>
#include <string_view>

#include "cluster/harness/cluster.hpp"
#include "cluster/harness/harness_error.hpp"

namespace ksr::clustertest {
namespace {

namespace json = boost::json;

// A second may pass between the calls, which ages show.
constexpr int kTries = 5;

std::string replaced(std::string text, const std::string& word, const std::string& by) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
  return text;
}

std::string joined(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
  return line;
}

void remove_what_the_server_sets(json::value& value) {
  if (json::array* array = value.if_array()) {
    for (json::value& item : *array) remove_what_the_server_sets(item);
  }
  json::object* object = value.if_object();
  if (object == nullptr) return;
  for (const char* name : {"uid", "resourceVersion", "creationTimestamp", "generation", "manager", "time"}) {
    object->erase(name);
  }
  for (auto& member : *object) remove_what_the_server_sets(member.value());
}

json::value parsed(const std::string& text) {
  json::error_code failure;
  json::value value = json::parse(text, failure);
  CHECK_MESSAGE(!failure, "not JSON: " << text);
  remove_what_the_server_sets(value);
  return value;
}

// Ages and what fills their column.
std::string without_ages(const std::string& text) {
  static const std::regex age("\\b([0-9]+[smhd])+ *");
  return std::regex_replace(text, age, "AGE ");
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// What client-go logs by itself, such as "I1130 02:40:15.684452 ...", depends on the time that things take.
std::string without_log(const std::string& errors) {
  std::string rest;
  std::istringstream lines(errors);
  for (std::string line; std::getline(lines, line);) {
    const bool is_log = line.size() > 5 && std::string_view("IWEF").find(line[0]) != std::string_view::npos &&
                        std::all_of(line.begin() + 1, line.begin() + 5, [](char c) { return c >= '0' && c <= '9'; });
    if (!is_log) rest += line + "\n";
  }
  return rest;
}

// Another one, such as one with sanitizers, in the environment.
std::string path_of_ksr() {
  const char* given = std::getenv("KSR_PROGRAM");
  return given != nullptr ? given : KSR_PROGRAM;
}

}  // namespace

TwoPrograms::TwoPrograms(const User& user)
    : directory_("ksr-commands"),
      kubectl_(make_side(std::string(KSR_CLUSTER_BIN_DIR) + "/kubectl", "kub", user)),
      ksr_(make_side(path_of_ksr(), "ksr", user)) {}

TwoPrograms::Side TwoPrograms::make_side(const std::string& program, const std::string& prefix, const User& user) {
  Cluster& cluster = Cluster::shared();
  Side side{program, cluster.fresh_namespace(prefix), directory_.root() / prefix};
  const std::string config = R"({"apiVersion": "v1", "kind": "Config", "current-context": "here",
"contexts": [{"name": "here", "context": {"cluster": "here", "user": "me", "namespace": ")" +
                             side.name_space + R"("}}],
"clusters": [{"name": "here", "cluster": {"server": ")" +
                             cluster.url() + R"(", "certificate-authority": ")" + cluster.ca_file() + R"("}}],
"users": [{"name": "me", "user": {"token": ")" +
                             user.token + R"("}}]})";
  directory_.write(prefix + "/config", config);
  return side;
}

ProgramEnd TwoPrograms::run_in(const Side& side, std::vector<std::string> arguments, const std::string& input) {
  for (std::string& argument : arguments) argument = replaced(argument, "NS", side.name_space);
  arguments.insert(arguments.begin(), side.program);
  const std::string input_file =
      directory_.write(side.home.filename().string() + "/input", replaced(input, "NS", side.name_space));
  return run_to_end(
      arguments, {"PATH=/usr/bin:/bin", "HOME=" + side.home.string(), "KUBECONFIG=" + (side.home / "config").string()},
      side.home, input_file);
}

ProgramEnd TwoPrograms::run_kubectl(std::vector<std::string> arguments, const std::string& input) {
  return run_in(kubectl_, std::move(arguments), input);
}

ProgramEnd TwoPrograms::run_ksr(std::vector<std::string> arguments, const std::string& input) {
  return run_in(ksr_, std::move(arguments), input);
}

ProgramEnd TwoPrograms::run_shell(const std::string& line) {
  return run_to_end({"/bin/bash", "-o", "pipefail", "-c", replaced(line, "NS", ksr_.name_space)},
                    {"PATH=/usr/bin:/bin", "HOME=" + ksr_.home.string(), "ksr=" + ksr_.program,
                     "KUBECONFIG=" + (ksr_.home / "config").string()},
                    ksr_.home);
}

void TwoPrograms::check(const std::string& what, const Call& call, ProgramEnd by_kubectl, ProgramEnd by_ksr) {
  by_kubectl.errors = without_log(by_kubectl.errors);
  CAPTURE(what);
  CAPTURE(by_kubectl.errors);
  CAPTURE(by_ksr.errors);
  CHECK(by_ksr.status == by_kubectl.status);
  for (std::string* text : {&by_kubectl.output, &by_kubectl.errors, &by_ksr.output, &by_ksr.errors}) {
    *text = replaced(replaced(*text, kubectl_.name_space, "NS"), ksr_.name_space, "NS");
  }
  if (by_kubectl.output != by_ksr.output) {
    for (std::string* output : {&by_kubectl.output, &by_ksr.output}) *output = without_ages(*output);
  }
  if (call.compare == Compare::all) CHECK(by_ksr.output == by_kubectl.output);
  if (call.compare == Compare::json) CHECK(parsed(by_ksr.output) == parsed(by_kubectl.output));
  if (call.same_errors) CHECK(by_ksr.errors == by_kubectl.errors);
  // Something is said of each error, in no more lines than kubectl needs.
  CHECK(by_ksr.errors.empty() == by_kubectl.errors.empty());
  CHECK(lines_in(by_ksr.errors) <= lines_in(by_kubectl.errors));
  CHECK(by_ksr.errors.find(admin_user().token) == std::string::npos);
}

void TwoPrograms::run(const Call& call) {
  ProgramEnd by_kubectl = run_kubectl(call.arguments, call.input);
  ProgramEnd by_ksr = run_ksr(call.arguments, call.input);
  check(joined(call.arguments), call, std::move(by_kubectl), std::move(by_ksr));
}

void TwoPrograms::read(const std::vector<std::string>& arguments, bool same_errors) {
  compare_reads(arguments, arguments, same_errors);
}

void TwoPrograms::compare_reads(const std::vector<std::string>& of_kubectl, const std::vector<std::string>& of_ksr,
                                bool same_errors) {
  Side ksr_here = ksr_;
  ksr_here.name_space = kubectl_.name_space;
  ksr_here.home = kubectl_.home;
  ProgramEnd by_kubectl, by_ksr;
  for (int i = 0; i < kTries; ++i) {
    by_kubectl = run_kubectl(of_kubectl);
    by_ksr = run_in(ksr_here, of_ksr, "");
    if (by_kubectl.output == by_ksr.output) break;
  }
  check(joined(of_ksr), {{}, Compare::all, same_errors}, std::move(by_kubectl), std::move(by_ksr));
}

void TwoPrograms::make(const std::string& yaml) {
  for (const Side* side : {&kubectl_, &ksr_}) {
    Side by_kubectl = *side;
    by_kubectl.program = kubectl_.program;
    const ProgramEnd end = run_in(by_kubectl, {"create", "-f", "-"}, yaml);
    if (end.status != 0) throw HarnessError("kubectl create: " + end.errors);
  }
}

std::string TwoPrograms::file(const std::string& name, const std::string& content) {
  return directory_.write(name, content);
}

}  // namespace ksr::clustertest

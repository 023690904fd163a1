// get -w: what get would show, as a command line of ksr-watch.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "base/field_selector.hpp"
#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/get_targets.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

// Of get, and the same for ksr-watch.
constexpr const char* kFlags[] = {"--no-headers", "--show-labels", "--show-managed-fields", "--once", "--log"};
constexpr const char* kValues[] = {"--output", "--sort-by", "--columns", "--limit", "--transport", "--request-timeout"};

Expected<void> check_watched(const Arguments& arguments) {
  for (const char* option : {"--raw", "--subresource"}) {
    if (arguments.has_text(option)) return usage_error(std::string(option) + " and --watch cannot be given together");
  }
  if (arguments.flag("--show-kind")) return usage_error("--show-kind and --watch cannot be given together");
  return {};
}

// k8s.io/kubectl/pkg/cmd/get, watch; k8s.io/cli-runtime/pkg/resource, SingleResourceType and Result.Watch.
Expected<Target> only_one(std::vector<Target> targets) {
  if (targets.empty()) return usage_error("-f: has no object to watch");
  const auto of_other_type = [&](const Target& target) {
    return target.resource.display != targets.front().resource.display;
  };
  if (std::any_of(targets.begin(), targets.end(), of_other_type)) {
    return usage_error("you may only specify a single resource type");
  }
  const auto of_other_object = [&](const Target& target) {
    return target.name != targets.front().name || target.name_space != targets.front().name_space;
  };
  if (std::any_of(targets.begin(), targets.end(), of_other_object)) {
    return usage_error("you may only watch a single resource or type of resource at a time");
  }
  return Expected<Target>(std::move(targets.front()));
}

void add_option(std::vector<std::string>& words, const std::string& option, const std::string& value) {
  if (!value.empty()) words.push_back(option + "=" + value);
}

void add_settings(std::vector<std::string>& words, const Arguments& arguments) {
  for (const Setting& setting : arguments.settings) {
    // What was asked for the types; a stream has no such keys.
    if (setting.option == "--set" && is_of_every_request(setting.key)) continue;
    // Those of --as-group are one key by now, as are those of --as-user-extra, which the watch does not have.
    const bool is_set =
        setting.option == "--set" || setting.option == "--as-group" || setting.option == "--as-user-extra";
    words.push_back((is_set ? "--set=" + setting.key : setting.option) + "=" + setting.value);
  }
}

// Who may watch an object need not be allowed to list it: its first state comes with the watch then.
bool may_list(Session& session, const Target& target) {
  constexpr int kForbidden = 403;
  Request request = session.request("list", {target.resource, "", target.name_space});
  request.keys.emplace_back("accept", "metadata");
  request.keys.emplace_back("field_selector", name_selector(target.name));
  request.only_tries = true;
  const Answer answer = session.client().call(request);
  return !answer.failed() || answer.failure().http_status != kForbidden;
}

// Of --seconds: what is asked for the types counts too. Empty without it; what is wrong with it ksr-watch says.
std::optional<Client::Clock::time_point> end_of_watch(const Arguments& arguments) {
  constexpr double kLongest = 1e9;
  const std::string text = arguments.text("--seconds");
  double seconds = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
  const bool is_whole = failure == std::errc() && end == text.data() + text.size();
  if (!is_whole || !(seconds > 0 && seconds <= kLongest)) return std::nullopt;
  return Client::Clock::now() + Milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

std::string seconds_until(Client::Clock::time_point end) {
  const std::chrono::duration<double> left = end - Client::Clock::now();
  return std::to_string(std::max(left.count(), 0.0));
}

// That of a cluster-scoped resource is ignored, as without -w.
void add_namespace(std::vector<std::string>& words, const Target& target, const Arguments& arguments) {
  if (target.resource.namespaced == false) return;
  if (arguments.flag("--all-namespaces") && target.name.empty()) return words.push_back("--all-namespaces");
  add_option(words, "--namespace", target.name_space.empty() ? arguments.text("--namespace") : target.name_space);
}

}  // namespace

Expected<std::vector<std::string>> words_of_watch(Session& session) {
  const Arguments& arguments = session.arguments();
  if (Expected<void> fine = check_watched(arguments); !fine) return fine.error();
  const auto end = end_of_watch(arguments);
  session.client().set_deadline(end);
  Expected<std::vector<Target>> targets = find_targets_of_get(session);
  if (!targets) return targets.error();
  const Expected<Target> target = only_one(*std::move(targets));
  if (!target) return target.error();
  std::vector<std::string> words{"ksr", "--watch"};
  // A key of --set is stronger.
  if (arguments.has("--chunk-size")) add_option(words, "--set=page_size", arguments.text("--chunk-size"));
  if (!target->name.empty() && !may_list(session, *target)) words.emplace_back("--set=initial=watchlist");
  add_settings(words, arguments);
  add_namespace(words, *target, arguments);
  add_option(words, "--selector", arguments.selector("--selector"));
  add_option(words, "--field-selector", arguments.selector("--field-selector"));
  for (const std::string& names : arguments.all("--label-columns")) add_option(words, "--label-columns", names);
  for (const char* option : kValues) add_option(words, option, arguments.text(option));
  add_option(words, "--seconds", end ? seconds_until(*end) : arguments.text("--seconds"));
  for (const char* option : kFlags) {
    if (arguments.flag(option)) words.emplace_back(option);
  }
  words.emplace_back("--");
  words.push_back(target->resource.display);
  if (!target->name.empty()) words.push_back(target->name);
  return words;
}

}  // namespace ksr::commands

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/durations.hpp"
#include "commands/json_text.hpp"
#include "commands/list_pages.hpp"
#include "commands/object_watch.hpp"
#include "commands/pages.hpp"
#include "commands/printing.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

constexpr std::chrono::seconds kPollInterval{1};

struct Deleted {
  Target target;
  std::string uid;
};

class Delete {
 public:
  explicit Delete(Session& session) : session_(session) {}

  Expected<void> run() {
    if (Expected<void> read = read_options(); !read) return read;
    Expected<std::vector<Target>> targets = find_targets();
    if (!targets) return targets.error();
    bool any = false;
    std::vector<Deleted> deleted;
    for (const Target& target : *targets) {
      std::vector<Target> objects{target};
      if (target.name.empty()) objects = selected(target);
      for (const Target& object : objects) {
        any = true;
        remove(object, deleted);
      }
    }
    if (!any && !session_.report().has_errors()) session_.output().write("No resources found\n");
    if (!dry_run_ && wait_) wait_for(deleted);
    return {};
  }

 private:
  Expected<void> read_options() {
    const Arguments& arguments = session_.arguments();
    const Expected<bool> dry_run = is_dry_run(arguments);
    if (!dry_run) return dry_run.error();
    dry_run_ = *dry_run;
    if (const std::string output = arguments.text("--output"); !output.empty() && output != "name") {
      return usage_error("unexpected -o output mode: " + in_quotes(output) + "; expected name");
    }
    selects_ = arguments.selects();
    if (arguments.flag("--all") && selects_) return usage_error("cannot set --all and a selector at the same time");
    ignore_missing_ = arguments.has("--ignore-not-found") ? arguments.flag("--ignore-not-found")
                                                          : arguments.flag("--all") || selects_;
    wait_ = arguments.text("--wait", "true") == "true";
    cascade_ = arguments.text("--cascade", "background");
    if (cascade_.empty()) cascade_ = "background";
    if (cascade_ != "background" && cascade_ != "foreground" && cascade_ != "orphan") {
      return usage_error("--cascade: expected background, foreground or orphan");
    }
    if (Expected<void> grace = read_grace_period(); !grace) return grace;
    if (!arguments.has("--timeout")) return {};
    const Expected<Milliseconds> timeout = read_duration(arguments.text("--timeout"));
    if (const Error* error = timeout.if_error()) return usage_error("--timeout: " + error->message);
    timeout_ = *timeout;
    return {};
  }

  // Without --force no object goes without a second to end in.
  Expected<void> read_grace_period() {
    const Arguments& arguments = session_.arguments();
    const std::string text = arguments.text("--grace-period", "-1");
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), grace_);
    if (failure != std::errc() || end != text.data() + text.size()) {
      return usage_error("--grace-period: expected a number of seconds");
    }
    const bool force = arguments.flag("--force");
    if (arguments.flag("--now")) {
      if (grace_ != -1) return usage_error("--now and --grace-period cannot be specified together");
      grace_ = 1;
    }
    if (force && grace_ > 0)
      return usage_error("--force and --grace-period greater than 0 cannot be specified together");
    if (grace_ == 0 && !force) grace_ = 1;
    if (grace_ < 0 && force) grace_ = 0;
    if (grace_ == 0) {
      session_.report().warning(
          "Immediate deletion does not wait for confirmation that the running resource has been terminated. The "
          "resource may continue to run on the cluster indefinitely.");
    }
    return {};
  }

  Expected<std::vector<Target>> find_targets() {
    const Arguments& arguments = session_.arguments();
    if (arguments.has("--filename")) return targets_of_files();
    const Expected<std::vector<TypeAndName>> named = session_.named();
    if (!named) return named.error();
    if (named->empty()) return usage_error("you must provide a type and a name, TYPE/NAME, or -f FILE");
    const bool by_selection = selects_ || arguments.flag("--all");
    for (const TypeAndName& one : *named) {
      if (one.name.empty() && !by_selection) return usage_error("resource(s) were provided, but no name was specified");
      if (!one.name.empty() && by_selection) return usage_error("name cannot be provided when a selector is specified");
      if (!one.name.empty() && arguments.flag("--all-namespaces")) {
        return usage_error("a resource cannot be retrieved by name across all namespaces");
      }
    }
    return session_.resolve(*named);
  }

  Expected<std::vector<Target>> targets_of_files() {
    const Arguments& arguments = session_.arguments();
    if (selects_ || arguments.flag("--all")) return usage_error("neither a selector nor --all can be given with -f");
    return session_.in_files(Session::Unknown::reported);
  }

  std::vector<Target> selected(const Target& target) {
    std::vector<Target> objects;
    Request request = session_.request("list", target);
    request.keys.emplace_back("accept", "metadata");
    request.keys.emplace_back("label_selector", session_.arguments().selector("--selector"));
    request.keys.emplace_back("field_selector", session_.arguments().selector("--field-selector"));
    request.keys.emplace_back("query.limit", "500");
    const auto take = [&](const json::value& page) {
      for (const json::value& item : items_of(page)) {
        objects.push_back(
            {target.resource, text_at(item, {"metadata", "name"}), text_at(item, {"metadata", "namespace"})});
      }
    };
    const Expected<std::optional<Failure>> failed = for_each_page(session_, std::move(request), target, take);
    if (!failed) session_.report().error(failed.error());
    if (failed && *failed) session_.report().failure(**failed);
    return objects;
  }

  void remove(const Target& target, std::vector<Deleted>& deleted) {
    if (target.resource.namespaced == false && !session_.given_namespace().empty()) {
      session_.report().warning("deleting cluster-scoped resources, not scoped to the provided namespace");
    }
    Request request = session_.request("delete", target);
    request.keys.emplace_back("propagation", cascade_);
    if (grace_ >= 0) request.keys.emplace_back("grace_period", std::to_string(grace_));
    if (dry_run_) request.keys.emplace_back("dry_run", "true");
    const Answer answer = session_.client().call_for_object(std::move(request));
    if (answer.failed()) {
      const bool missing = answer.failure().reason == "NotFound";
      const std::string doing = target.source.empty() ? "" : "error when deleting " + in_quotes(target.source) + ": ";
      if (!missing || !ignore_missing_) session_.report().failure(answer.failure(), doing);
      return;
    }
    print(target);
    const json::value& status = answer.object();
    std::string uid = text_at(status, {"details", "uid"});
    if (uid.empty()) uid = text_at(status, {"metadata", "uid"});
    if (!uid.empty()) deleted.push_back({target, std::move(uid)});
  }

  void print(const Target& target) {
    const std::string kind = kind_prefix(target.resource);
    std::string line = kind + "/" + target.name;
    if (session_.arguments().text("--output") != "name") {
      line = kind + " " + in_quotes(target.name) + (grace_ == 0 ? " force deleted" : " deleted");
      if (target.resource.namespaced != false) {
        const std::string name_space = target.name_space.empty() ? session_.default_namespace() : target.name_space;
        if (!name_space.empty()) line += " from " + name_space + " namespace";
      }
      if (dry_run_) line += " (server dry run)";
    }
    session_.output().write(shown(one_line(line, kMaxName)) + "\n");
  }

  using Clock = std::chrono::steady_clock;

  void wait_for(const std::vector<Deleted>& deleted) {
    for (const Deleted& one : deleted) {
      const std::string name = one.target.resource.plural + "/" + one_line(one.target.name);
      const std::string doing = "error when waiting for the deletion of " + name + ": ";
      std::optional<Clock::time_point> deadline;
      if (timeout_.count() > 0) deadline = Clock::now() + timeout_;
      session_.client().set_deadline(deadline);
      WatchEnd end = look(one, doing, true);
      if (end == WatchEnd::refused) {
        const auto is_gone = [&](const ksr_snapshot* snapshot) {
          return ksr_snapshot_find_uid(snapshot, one.uid.c_str()) == nullptr;
        };
        end = watch_object(session_, one.target, {true, may_get_, doing}, is_gone, deadline);
        if (end == WatchEnd::refused) end = poll(one, doing, deadline);
      }
      if (end == WatchEnd::timed_out) session_.report().error("timed out waiting for the condition on " + name);
    }
  }

  // `refused`: it is there, or may not be read, which is reported unless it is the first look.
  WatchEnd look(const Deleted& one, const std::string& doing, bool is_first) {
    Request request = session_.request("get", one.target);
    request.keys.emplace_back("accept", "metadata");
    const Answer answer = session_.client().call_for_object(std::move(request));
    if (!answer.failed()) {
      may_get_ = true;
      return text_at(answer.object(), {"metadata", "uid"}) == one.uid ? WatchEnd::refused : WatchEnd::met;
    }
    if (answer.failure().reason == "NotFound") return WatchEnd::met;
    if (session_.client().is_late()) return WatchEnd::timed_out;
    may_get_ = false;
    if (is_first) return WatchEnd::refused;
    session_.report().failure(answer.failure(), doing);
    return WatchEnd::failed;
  }

  // Who may delete and get an object need not be allowed to list or watch it.
  WatchEnd poll(const Deleted& one, const std::string& doing, const std::optional<Clock::time_point>& deadline) {
    for (;;) {
      const WatchEnd end = look(one, doing, false);
      if (end != WatchEnd::refused) return end;
      if (deadline && Clock::now() + kPollInterval > *deadline) return WatchEnd::timed_out;
      std::this_thread::sleep_for(kPollInterval);
    }
  }

  Session& session_;
  bool dry_run_ = false;
  bool selects_ = false;
  bool ignore_missing_ = false;
  bool wait_ = true;
  bool may_get_ = false;
  std::string cascade_;
  int grace_ = -1;
  // 0: without a limit.
  Milliseconds timeout_{0};
};

}  // namespace

Expected<void> run_delete(Session& session) {
  return Delete(session).run();
}

}  // namespace ksr::commands

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/durations.hpp"
#include "commands/json_text.hpp"
#include "commands/list_pages.hpp"
#include "commands/object_watch.hpp"
#include "commands/pages.hpp"
#include "commands/printing.hpp"
#include "commands/usage_error.hpp"
#include "commands/wait_condition.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;
using Clock = std::chrono::steady_clock;

// Once the time is over each of the objects that are left is looked at once, as by kubectl: for so long.
constexpr std::chrono::seconds kLastLook{1};
// kubectl's for a negative --timeout.
constexpr std::chrono::hours kWeek{168};
constexpr Milliseconds kDefaultTimeout{30'000};

// What the test of a wait looks for in the view, which has one object at most, and what it has found.
struct Sought {
  const WaitCondition& condition;
  // Of the object that is to be deleted.
  std::string uid;
  // The first view has been seen, as one from which nothing can be missing.
  bool begun = false;
  bool missing = false;
  std::optional<Error> error;
  json::value object;
};

// Whether the wait is over.
bool look(const ksr_snapshot* snapshot, Sought& sought) {
  const bool first = !std::exchange(sought.begun, true);
  if (sought.condition.kind() == WaitCondition::Kind::deleted) {
    // Without a uid any object of its name is the same one.
    const bool there = sought.uid.empty() ? ksr_snapshot_count(snapshot) > 0
                                          : ksr_snapshot_find_uid(snapshot, sought.uid.c_str()) != nullptr;
    return !there;
  }
  const ksr_object* object = ksr_snapshot_at(snapshot, 0);
  if (object == nullptr) {
    // One that goes later may come again.
    sought.missing = first && sought.condition.kind() != WaitCondition::Kind::created;
    return sought.missing;
  }
  std::size_t size = 0;
  const char* text = ksr_object_field(object, KSR_FIELD_JSON, &size);
  std::optional<json::value> read = parse_answer({text, size});
  if (!read) {
    sought.error = Error{Status::protocol, "the object is not JSON that can be read"};
    return true;
  }
  sought.object = *std::move(read);
  const Expected<bool> met = sought.condition.is_met(sought.object);
  if (const Error* error = met.if_error()) sought.error = *error;
  return !met || *met;
}

class Wait {
 public:
  explicit Wait(Session& session, Format format) : session_(session), printer_(session, format) {}

  Expected<void> run() {
    if (Expected<void> read = read_options(); !read) return read;
    Expected<std::vector<Target>> targets = find_targets();
    if (!targets) return targets.error();
    deadline_ = Clock::now() + timeout_;
    if (has(WaitCondition::Kind::created) && !wait_for_all(*targets)) return {};
    std::size_t visited = 0;
    for (const Target& target : *targets) {
      for (const Found& found : objects_of(target)) {
        ++visited;
        check_all(found);
      }
    }
    const bool deletes = has(WaitCondition::Kind::deleted);
    if (visited == 0 && !deletes && !session_.report().has_errors()) return usage_error("no matching resources found");
    return {};
  }

 private:
  struct Found {
    Target target;
    json::value object;
  };

  const Arguments& arguments() const { return session_.arguments(); }

  bool has(WaitCondition::Kind kind) const {
    return std::any_of(conditions_.begin(), conditions_.end(),
                       [kind](const WaitCondition& condition) { return condition.kind() == kind; });
  }

  Expected<void> read_options() {
    const std::vector<std::string> texts = arguments().all("--for");
    if (texts.empty()) return usage_error("unrecognized condition: []; expected --for");
    for (const std::string& text : texts) {
      Expected<WaitCondition> condition = WaitCondition::parse(text);
      if (!condition) return condition.error();
      conditions_.push_back(*std::move(condition));
    }
    const std::string timeout = arguments().text("--timeout");
    if (!arguments().has("--timeout")) {
      timeout_ = kDefaultTimeout;
    } else if (!timeout.empty() && timeout.front() == '-') {
      if (!read_duration(std::string_view(timeout).substr(1)))
        return usage_error("--timeout: expected a duration such as 30s");
      timeout_ = kWeek;
    } else {
      const Expected<Milliseconds> read = read_duration(timeout);
      if (const Error* error = read.if_error()) return usage_error("--timeout: " + error->message);
      timeout_ = *read;
    }
    return {};
  }

  Expected<std::vector<Target>> find_targets() {
    if (arguments().has("--filename")) return session_.in_files();
    const Expected<std::vector<TypeAndName>> named = session_.named();
    if (!named) return named.error();
    if (named->empty()) return usage_error("expected objects to wait for, such as pod/web, or -f FILE");
    for (const TypeAndName& one : *named) {
      if (one.name.empty() && !arguments().selects() && !arguments().flag("--all")) {
        return usage_error("resource(s) were provided, but no name was specified");
      }
      if (!one.name.empty() && arguments().selects())
        return usage_error("name cannot be provided when a selector is specified");
      if (!one.name.empty() && arguments().flag("--all-namespaces")) {
        return usage_error("a resource cannot be retrieved by name across all namespaces");
      }
    }
    return session_.resolve(*named);
  }

  // What is there now. What is missing is reported, unless it is waited for to be deleted.
  std::vector<Found> objects_of(const Target& target) {
    std::vector<Found> found;
    if (timeout_.count() > 0) session_.client().set_deadline(std::max(deadline_, Clock::now() + kLastLook));
    Request request = session_.request(target.name.empty() ? "list" : "get", target);
    if (target.name.empty()) {
      request.keys.emplace_back("label_selector", arguments().selector("--selector"));
      request.keys.emplace_back("field_selector", arguments().selector("--field-selector"));
    }
    if (target.name.empty()) {
      const auto take = [&](json::value& page) { take_items(target, page, found); };
      const Expected<std::optional<Failure>> failed = for_each_page(session_, std::move(request), target, take);
      if (!failed) session_.report().error(failed.error());
      if (failed && *failed) report(**failed, target);
      return found;
    }
    Answer answer = session_.client().call_for_object(std::move(request));
    if (answer.failed()) {
      report(answer.failure(), target);
    } else {
      found.push_back({target, std::move(answer.object())});
    }
    return found;
  }

  void report(const Failure& failure, const Target& target) {
    if (failure.code == KSR_E_TIMEOUT && session_.client().is_late()) return report_timeout(target);
    if (failure.reason != "NotFound" || !has(WaitCondition::Kind::deleted)) session_.report().failure(failure);
  }

  void take_items(const Target& target, json::value& list, std::vector<Found>& found) const {
    json::object* whole = list.if_object();
    json::value* items = whole == nullptr ? nullptr : whole->if_contains("items");
    if (items == nullptr || !items->is_array()) return;
    name_items(list, items->get_array());
    for (json::value& item : items->get_array()) {
      const std::string name = text_at(item, {"metadata", "name"});
      found.push_back({{target.resource, name, text_at(item, {"metadata", "namespace"})}, std::move(item)});
    }
  }

  void check_all(const Found& found) {
    for (const WaitCondition& condition : conditions_) {
      std::optional<json::value> object = check(condition, found);
      if (!object) return;
      printer_.print(*std::move(object), "condition met");
    }
  }

  void report_timeout(const Target& target) {
    session_.report().error("timed out waiting for the condition" +
                            (target.name.empty() ? "" : " on " + name_of(target)));
  }

  static std::string name_of(const Target& target) { return target.resource.plural + "/" + one_line(target.name); }

  // The object of which it is true; empty after an error, which is reported.
  std::optional<json::value> check(const WaitCondition& condition, const Found& found) {
    if (condition.kind() == WaitCondition::Kind::created) return found.object;
    if (timeout_.count() == 0) {
      const Expected<bool> met = condition.is_met(found.object);
      if (met && *met) return found.object;
      session_.report().error(met ? "condition not met for " + name_of(found.target) : met.error().message);
      return std::nullopt;
    }
    Sought sought{condition, text_at(found.object, {"metadata", "uid"}), false, false, std::nullopt, found.object};
    const WatchEnd ended = wait_for(found.target, sought);
    if (ended == WatchEnd::failed) return std::nullopt;
    if (ended == WatchEnd::timed_out) {
      report_timeout(found.target);
    } else if (sought.missing) {
      const std::string group = group_of(found.target.resource);
      session_.report().error(Error{Status::server, "Error from server (NotFound): " + found.target.resource.plural +
                                                        (group.empty() ? "" : "." + group) + " " +
                                                        in_quotes(found.target.name) + " not found"});
    } else if (sought.error) {
      session_.report().error(*sought.error);
    } else {
      return std::move(sought.object);
    }
    return std::nullopt;
  }

  WatchEnd wait_for(const Target& target, Sought& sought) {
    return watch_object(
        session_, target, {}, [&](const ksr_snapshot* snapshot) { return look(snapshot, sought); }, deadline_);
  }

  // False after an error too, which is reported.
  bool is_there(const Target& target) {
    Request request = session_.request(target.name.empty() ? "list" : "get", target);
    request.keys.emplace_back("label_selector", arguments().selector("--selector"));
    request.keys.emplace_back("field_selector", arguments().selector("--field-selector"));
    const Answer answer = session_.client().call_for_object(std::move(request));
    if (answer.failed() && answer.failure().reason != "NotFound") session_.report().failure(answer.failure());
    return !answer.failed() && (!target.name.empty() || !items_of(answer.object()).empty());
  }

  // Until each of the names is there, or something is that is selected. False after an error, which is reported.
  bool wait_for_all(const std::vector<Target>& targets) {
    static const WaitCondition created = *WaitCondition::parse("create");
    for (const Target& target : targets) {
      if (timeout_.count() == 0 && !is_there(target)) {
        if (!session_.report().has_errors()) session_.report().error("timed out waiting for the condition");
        return false;
      }
      if (timeout_.count() == 0) continue;
      Sought sought{created, "", false, false, std::nullopt, nullptr};
      const WatchEnd ended = wait_for(target, sought);
      if (ended == WatchEnd::timed_out) session_.report().error("timed out waiting for the condition");
      if (ended != WatchEnd::met) return false;
    }
    return true;
  }

  Session& session_;
  ObjectPrinter printer_;
  std::vector<WaitCondition> conditions_;
  Milliseconds timeout_{0};
  Clock::time_point deadline_;
};

}  // namespace

Expected<void> run_wait(Session& session) {
  const Expected<Format> format = format_of(session.arguments(), false);
  if (!format) return format.error();
  return Wait(session, *format).run();
}

}  // namespace ksr::commands

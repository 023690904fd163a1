#include <optional>
#include <utility>

#include "base/text.hpp"
#include "commands/commands.hpp"
#include "commands/json_text.hpp"
#include "commands/manifests.hpp"
#include "commands/printing.hpp"
#include "commands/usage_error.hpp"

namespace ksr::commands {
namespace {

namespace json = boost::json;

class Patch {
 public:
  explicit Patch(Session& session) : session_(session) {}

  Expected<void> run() {
    const Arguments& arguments = session_.arguments();
    const Expected<Format> format = format_of(arguments, false);
    if (!format) return format.error();
    const Expected<bool> dry_run = is_dry_run(arguments);
    if (!dry_run) return dry_run.error();
    if (Expected<void> read = read_patch(); !read) return read;
    Expected<std::vector<Target>> targets = find_targets();
    if (!targets) return targets.error();
    options_ = {{"patch_type", type_},
                {"subresource", arguments.text("--subresource")},
                {"field_manager", arguments.text("--field-manager", "ksr")},
                {"dry_run", *dry_run ? "true" : ""}};
    const std::string suffix = *dry_run ? " (server dry run)" : "";
    ObjectPrinter printer(session_, *format);
    for (const Target& target : *targets) patch(target, suffix, printer);
    return {};
  }

 private:
  Expected<void> read_patch() {
    const Arguments& arguments = session_.arguments();
    type_ = lower_case(arguments.text("--type", "strategic"));
    if (type_.empty()) type_ = "strategic";
    if (type_ != "strategic" && type_ != "merge" && type_ != "json") {
      return usage_error("--type must be one of json, merge, strategic, not " + in_quotes(type_));
    }
    if (arguments.has_text("--patch") == arguments.has_text("--patch-file")) {
      return usage_error("must specify either --patch or --patch-file");
    }
    std::string text = arguments.text("--patch");
    if (arguments.has_text("--patch-file")) {
      Expected<std::string> whole = read_whole(arguments.text("--patch-file"));
      if (!whole) return whole.error();
      text = *std::move(whole);
    }
    Expected<json::value> patch = read_document(text, "the patch");
    if (!patch) return patch.error();
    const bool fits = type_ == "json" ? patch->is_array() : patch->is_object();
    if (!fits)
      return usage_error(std::string("the patch is no ") + (type_ == "json" ? "list of operations" : "object"));
    // JSON as it is given: the server then warns of keys that occur twice.
    const std::string_view given = without_byte_order_mark(text);
    patch_ = parse_json(given) ? std::string(given) : json_body(*patch);
    return {};
  }

  Expected<std::vector<Target>> find_targets() {
    const Arguments& arguments = session_.arguments();
    if (!arguments.has("--filename")) {
      const Expected<std::vector<TypeAndName>> named = session_.named();
      if (!named) return named.error();
      if (named->empty()) return usage_error("expected a type and a name, TYPE/NAME, or -f FILE");
      for (const TypeAndName& one : *named) {
        if (one.name.empty()) return usage_error("resource(s) were provided, but no name was specified");
      }
      return session_.resolve(*named);
    }
    Expected<std::vector<Target>> targets = session_.in_files();
    if (targets && targets->empty()) return usage_error("no objects passed to patch");
    return targets;
  }

  // The object is read first, as by kubectl: to say whether the patch has changed it.
  void patch(const Target& target, const std::string& suffix, ObjectPrinter& printer) {
    Request get = session_.request("get", target);
    get.keys.emplace_back("subresource", session_.arguments().text("--subresource"));
    const Answer before = session_.client().call_for_object(std::move(get));
    if (before.failed()) return session_.report().failure(before.failure());
    Request request = session_.request("patch", target);
    request.keys.insert(request.keys.end(), options_.begin(), options_.end());
    request.body = patch_;
    Answer after = session_.client().call_for_object(std::move(request));
    if (after.failed()) return session_.report().failure(after.failure());
    const bool changed = before.object() != after.object();
    printer.print(std::move(after.object()), (changed ? "patched" : "patched (no change)") + suffix);
  }

  Session& session_;
  std::string type_;
  std::string patch_;
  std::vector<std::pair<std::string, std::string>> options_;
};

}  // namespace

Expected<void> run_patch(Session& session) {
  return Patch(session).run();
}

}  // namespace ksr::commands

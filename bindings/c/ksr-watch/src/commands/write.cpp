// create and apply.
#include <algorithm>
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

Expected<std::string> field_validation_of(const Arguments& arguments) {
  const std::string value = arguments.text("--validate", "strict");
  if (value == "strict" || value == "true" || value.empty()) return std::string("Strict");
  if (value == "warn") return std::string("Warn");
  if (value == "ignore" || value == "false") return std::string("Ignore");
  return usage_error("--validate: expected strict (or true), warn or ignore (or false)");
}

// Of a conflict: other managers own fields that are applied. A uid or a resourceVersion that does not match is another.
bool is_about_fields(const Failure& failure) {
  const json::value status = parse_answer(failure.details).value_or(nullptr);
  const json::value* const causes = value_at(status, {"details", "causes"});
  if (causes == nullptr || !causes->is_array()) return false;
  const json::array& all = causes->get_array();
  return std::any_of(all.begin(), all.end(),
                     [](const json::value& cause) { return text_at(cause, {"reason"}) == "FieldManagerConflict"; });
}

class Write {
 public:
  Write(Session& session, bool apply) : session_(session), apply_(apply) {}

  Expected<void> run() {
    const Arguments& arguments = session_.arguments();
    if (!arguments.words.empty())
      return usage_error("unexpected argument " + in_quotes(arguments.words.front()) +
                         "; expected objects in files, with -f");
    if (!arguments.has("--filename")) return usage_error("must specify -f FILE");
    if (arguments.has("--server-side") && !arguments.flag("--server-side")) {
      return usage_error("--server-side: is always true; objects are applied by the server alone");
    }
    const Expected<Format> format = format_of(arguments, false);
    if (!format) return format.error();
    const Expected<bool> dry_run = is_dry_run(arguments);
    if (!dry_run) return dry_run.error();
    const Expected<std::string> validation = field_validation_of(arguments);
    if (!validation) return validation.error();
    options_ = {{"field_manager", arguments.text("--field-manager", "ksr")},
                {"dry_run", *dry_run ? "true" : ""},
                {"field_validation", *validation},
                {"subresource", arguments.text("--subresource")},
                {"force", arguments.flag("--force-conflicts") ? "true" : ""}};
    operation_ = std::string(apply_ ? "serverside-applied" : "created") + (*dry_run ? " (server dry run)" : "");
    Expected<std::vector<Manifest>> manifests =
        read_manifests(arguments.all("--filename"), arguments.flag("--recursive"));
    if (!manifests) return manifests.error();
    if (manifests->empty()) return usage_error(std::string("no objects passed to ") + (apply_ ? "apply" : "create"));
    if (Expected<void> fine = check(*manifests); !fine) return fine;
    ObjectPrinter printer(session_, *format);
    // As by kubectl, whose create shows one object after the other.
    as_list_ = apply_ && manifests->size() > 1 && (*format == Format::json || *format == Format::yaml);
    for (std::size_t i = 0; i < manifests->size(); ++i) {
      if (Expected<void> sent = send((*manifests)[i], resources_[i], printer); !sent) {
        session_.report().error(sent.error());
      }
    }
    if (!applied_.empty()) printer.print_list(std::move(applied_));
    return {};
  }

 private:
  // What is wrong with a file is told before anything is sent.
  Expected<void> check(const std::vector<Manifest>& manifests) {
    for (const Manifest& manifest : manifests) {
      const std::string in_file = manifest.source + ": " + manifest.kind;
      const std::string generated = text_at(manifest.object, {"metadata", "generateName"});
      if (manifest.name.empty() && apply_ && !generated.empty()) {
        return usage_error(in_file + ": apply cannot use the generateName " + in_quotes(generated) +
                           "; expected a name, or create");
      }
      if (manifest.name.empty() && generated.empty()) {
        return usage_error(in_file + ": resource name may not be empty");
      }
      // Of create it is the server's to refuse: it stands in no path.
      if (apply_ && !is_path_segment(manifest.name)) {
        return usage_error(in_file + " " + in_quotes(manifest.name) + ": " + kExpectedPathSegment);
      }
    }
    for (const Manifest& manifest : manifests) {
      resources_.push_back(session_.find_kind(manifest.api_version, manifest.kind));
      const Expected<cluster::Resource>& found = resources_.back();
      if (!found) continue;
      if (Expected<void> fine = session_.check_namespace(manifest, *found); !fine) return fine;
    }
    return {};
  }

  Expected<void> send(const Manifest& manifest, const Expected<cluster::Resource>& resource, ObjectPrinter& printer) {
    if (const Error* error = resource.if_error()) {
      if (error->status != Status::not_found) return *error;
      return usage_error("resource mapping not found for name: " + in_quotes(manifest.name) + " from " +
                         in_quotes(manifest.source) + ": " + error->message + "; are its CRDs installed?");
    }
    const Target target{*resource, apply_ ? manifest.name : "", manifest.name_space};
    Request request = session_.request(apply_ ? "apply" : "create", target);
    request.keys.insert(request.keys.end(), options_.begin(), options_.end());
    request.body = json_body(manifest.object);
    Answer answer = session_.client().call_for_object(std::move(request));
    if (answer.failed()) {
      const std::string doing = "error when creating " + in_quotes(manifest.source) + ": ";
      const bool conflict = apply_ && answer.failure().code == KSR_E_CONFLICT && is_about_fields(answer.failure());
      session_.report().failure(answer.failure(), apply_ ? "" : doing,
                                conflict ? " (--force-conflicts takes these fields over)" : "");
      return {};
    }
    if (as_list_) {
      applied_.push_back(std::move(answer.object()));
    } else {
      printer.print(std::move(answer.object()), operation_);
    }
    return {};
  }

  Session& session_;
  const bool apply_;
  std::vector<std::pair<std::string, std::string>> options_;
  std::string operation_;
  // Of each manifest; the error of one is that its kind is not found.
  std::vector<Expected<cluster::Resource>> resources_;
  bool as_list_ = false;
  json::array applied_;
};

}  // namespace

Expected<void> run_create(Session& session) {
  return Write(session, false).run();
}

Expected<void> run_apply(Session& session) {
  return Write(session, true).run();
}

}  // namespace ksr::commands

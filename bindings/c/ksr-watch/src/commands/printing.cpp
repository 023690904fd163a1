#include "commands/printing.hpp"

#include <utility>

#include "base/text.hpp"
#include "commands/json_text.hpp"
#include "commands/yaml_text.hpp"

extern "C" {
#include "json_line.h"
}

namespace ksr::commands {

namespace json = boost::json;

Expected<Format> format_of(const Arguments& arguments, bool with_tables) {
  const std::string given = arguments.text("--output");
  if (given.empty() || (with_tables && given == "table")) return Format::standard;
  if (with_tables && given == "wide") return Format::wide;
  // In upper case too (k8s.io/cli-runtime/pkg/genericclioptions, json_yaml_flags.go and name_flags.go), but for wide.
  const std::string name = lower_case(given);
  if (name == "json") return Format::json;
  if (name == "yaml") return Format::yaml;
  if (name == "name") return Format::name;
  return Error{Status::invalid, "unable to match a printer suitable for the output format " + in_quotes(given) +
                                    ", allowed formats are: json,name" + (with_tables ? ",table,wide" : "") + ",yaml"};
}

Expected<bool> is_dry_run(const Arguments& arguments) {
  const std::string value = arguments.text("--dry-run", "none");
  if (value == "none" || value == "server") return value == "server";
  return Error{Status::invalid, "--dry-run: expected none or server"};
}

void remove_managed_fields(json::value& object) {
  json::object* whole = object.if_object();
  json::value* metadata = whole == nullptr ? nullptr : whole->if_contains("metadata");
  if (metadata != nullptr && metadata->is_object()) metadata->get_object().erase("managedFields");
}

void name_items(const json::value& list, json::array& items) {
  const std::string api_version = text_at(list, {"apiVersion"});
  std::string kind = text_at(list, {"kind"});
  if (kind.empty() || kind == "List") return;
  if (kind.size() > 4 && kind.compare(kind.size() - 4, 4, "List") == 0) kind.erase(kind.size() - 4);
  for (json::value& item : items) {
    json::object* object = item.if_object();
    if (object == nullptr || !text_at(item, {"kind"}).empty() || !text_at(item, {"apiVersion"}).empty()) continue;
    (*object)["kind"] = kind;
    (*object)["apiVersion"] = api_version;
  }
}

std::string object_text(const json::value& object, Format format) {
  const bool on_terminal = is_on_terminal();
  if (format != Format::json) return yaml_text(object, on_terminal);
  std::string whole = json_text(object);
  if (!on_terminal) return whole;
  struct text out = {};
  json_add_shown(&out, {whole.data(), whole.size()});
  whole.assign(text_cstr(&out), out.len);
  text_free(&out);
  return whole;
}

void ObjectPrinter::print(json::value object, const std::string& operation) {
  if (format_ == Format::standard || format_ == Format::name) {
    const std::string name = text_at(object, {"metadata", "name"});
    const std::string line = kind_prefix(text_at(object, {"apiVersion"}), text_at(object, {"kind"})) + "/" + name +
                             (format_ == Format::name ? "" : " " + operation);
    return session_.output().write(shown(one_line(line, kMaxName)) + "\n");
  }
  if (!session_.arguments().flag("--show-managed-fields")) remove_managed_fields(object);
  const bool first = std::exchange(is_first_, false);
  const bool separates = format_ == Format::yaml && !first;
  session_.output().write((separates ? "---\n" : "") + object_text(object, format_));
}

void ObjectPrinter::print_list(json::array objects) {
  if (!session_.arguments().flag("--show-managed-fields")) {
    for (json::value& object : objects) remove_managed_fields(object);
  }
  print(
      json::object{{"apiVersion", "v1"}, {"items", std::move(objects)}, {"kind", "List"}, {"metadata", json::object()}},
      "");
}

}  // namespace ksr::commands

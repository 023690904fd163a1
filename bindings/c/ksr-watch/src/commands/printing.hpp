// How objects are printed: `ObjectPrinter` after something was done to them, `remove_managed_fields` what kubectl
// leaves out. Used by get, create, apply, delete, patch and wait. Main thread.
#pragma once

#include <boost/json.hpp>

#include <string>

#include "commands/session.hpp"

namespace ksr::commands {

// Of a line that names an object.
constexpr std::size_t kMaxName = 1'000;

enum class Format : std::uint8_t { standard, wide, json, yaml, name };

// -o; the error names what the command takes.
Expected<Format> format_of(const Arguments& arguments, bool with_tables);

// --dry-run; the error names what it takes.
Expected<bool> is_dry_run(const Arguments& arguments);

void remove_managed_fields(boost::json::value& object);

// What unstructured lists of client-go do: items of a typed list that name no kind have that of the list.
void name_items(const boost::json::value& list, boost::json::array& items);

// JSON or YAML: on a terminal with an escape for each character that it would obey, or that reorders or hides text.
std::string object_text(const boost::json::value& object, Format format);

// Prints objects one after the other, in the format of -o.
class ObjectPrinter {
 public:
  ObjectPrinter(Session& session, Format format) : session_(session), format_(format) {}
  // "configmap/a created", or the object.
  void print(boost::json::value object, const std::string& operation);
  // As one List; of JSON and YAML.
  void print_list(boost::json::array objects);

 private:
  Session& session_;
  const Format format_;
  bool is_first_ = true;
};

}  // namespace ksr::commands

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "commands/json_path.hpp"
#include "commands/json_text.hpp"
#include "commands/output.hpp"
#include "commands/printing.hpp"
#include "commands/sort_key.hpp"
#include "commands/table_text.hpp"
#include "commands/watch_tables.hpp"
#include "printer.h"

namespace ksr::commands {
namespace {

namespace json = boost::json;

json::value json_of(const ksr_object* object) {
  std::size_t size = 0;
  const char* text = ksr_object_field(object, KSR_FIELD_JSON, &size);
  return parse_answer({text, size}).value_or(nullptr);
}

slice slice_of_string(const std::string& text) {
  return {text.data(), text.size()};
}

// Both take a buffer of a size and say how long the whole text is.
template <class Read>
std::optional<std::string> whole_text(Read&& read) {
  std::string text(64, '\0');
  for (int tries = 0; tries < 2; ++tries) {
    const std::int64_t size = read(text.data(), text.size());
    if (size < 0) return std::nullopt;
    if (static_cast<std::size_t>(size) < text.size()) {
      text.resize(static_cast<std::size_t>(size));
      return text;
    }
    text.resize(static_cast<std::size_t>(size) + 1);
  }
  return std::nullopt;
}

std::optional<std::string> string_at(const ksr_object* object, const std::string& pointer) {
  return whole_text(
      [&](char* to, std::size_t size) { return ksr_object_get_string(object, pointer.c_str(), to, size); });
}

// A name as a part of a JSON pointer.
std::string token_of(std::string_view name) {
  std::string token;
  for (const char c : name) token += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return token;
}

Labels labels_of(const ksr_object* object) {
  constexpr const char* kLabels = "/metadata/labels";
  Labels labels;
  const std::int64_t count = ksr_object_size(object, kLabels);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto name = whole_text([&](char* to, std::size_t size) {
      return ksr_object_key(object, kLabels, static_cast<std::size_t>(i), to, size);
    });
    if (!name) continue;
    const auto value = string_at(object, std::string(kLabels) + "/" + token_of(*name));
    labels[*name] = one_cell(value.value_or(""));
  }
  return labels;
}

std::string age_of(const ksr_object* object) {
  std::int64_t created = 0;
  if (ksr_object_get_time(object, "/metadata/creationTimestamp", &created) == 0) return "<unknown>";
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  return human_duration((now.count() - created) / 1000);
}

}  // namespace
}  // namespace ksr::commands

using namespace ksr::commands;

struct printer {
  std::unique_ptr<WatchTables> tables;  // empty: no Table is needed
  TableStyle style;
  std::optional<TableText> text;
  // Of --columns.
  std::vector<TableColumn> columns;
  std::vector<std::string> pointers;
  std::optional<JsonPath> sort_by;
  // The namespaces that are shown, where they were named; and whether several may be.
  std::vector<std::string> namespaces;
  bool has_namespaces = false;
  // The most recent come first.
  bool is_limited = false;
  bool shows_managed_fields = false;
  bool has_document = false;
  std::string trouble;
  std::vector<std::string> warnings;

  const std::vector<TableColumn>& columns_now() const {
    if (!columns.empty()) return columns;
    return tables ? tables->columns() : plain_columns();
  }

  // With --columns, or without a row of the server (NULL), from the object itself.
  TableRow row_of(const ksr_object* object, const TableRow* known) const {
    if (known != nullptr) return *known;
    TableRow row;
    if (style.show_labels || !style.label_columns.empty()) row.labels = labels_of(object);
    row.name_space = one_cell(field_of(object, KSR_FIELD_NAMESPACE));
    for (const std::string& pointer : pointers) row.cells.push_back(value_at(object, pointer));
    if (!pointers.empty()) return row;
    for (const TableColumn& column : columns_now()) {
      row.cells.push_back(column.is_name  ? one_cell(field_of(object, KSR_FIELD_NAME))
                          : column.is_age ? age_of(object)
                                          : "<unknown>");
    }
    return row;
  }

  static std::string value_at(const ksr_object* object, const std::string& pointer) {
    if (const auto text = string_at(object, pointer)) return one_cell(*text);
    std::size_t size = 0;
    const char* raw = ksr_object_get(object, pointer.c_str(), &size);
    return raw == nullptr ? "<none>" : one_cell({raw, size});
  }
};

namespace {

bool read_columns(const char* list, printer& printer, std::string& problem) {
  for (const std::string_view one : ksr::split(list, ',')) {
    const std::size_t equals = one.find('=');
    const bool has_pointer = equals != std::string_view::npos && equals > 0 && one.substr(equals + 1, 1) == "/";
    if (!has_pointer || !JsonPath::of_pointer(one.substr(equals + 1))) {
      problem = "--columns: expected NAME=/json/pointer, such as IMAGE=/spec/containers/0/image";
      return false;
    }
    printer.columns.push_back({one_cell(one.substr(0, equals)), false, false, false});
    printer.pointers.emplace_back(one.substr(equals + 1));
  }
  return true;
}

bool set_sort_by(const char* text, printer& printer, std::string& problem) {
  const auto path = read_sort_by(text);
  if (const ksr::Error* error = path.if_error()) {
    problem = error->message;
    return false;
  }
  printer.sort_by = *path;
  return true;
}

void set_order(const options& options, printer& printer) {
  for (std::size_t i = 0; i < options.setting_count; ++i) {
    const std::string_view key = options.settings[i].key, value = options.settings[i].value;
    if (key == "limit") printer.is_limited = !value.empty() && value != "0";
    if (key != "namespace") continue;
    printer.namespaces.clear();
    if (value.empty()) continue;
    for (const std::string_view name : ksr::split(value, ',')) printer.namespaces.emplace_back(name);
  }
  printer.has_namespaces = options.one_namespace == 0;
}

std::string_view namespace_of(const ksr_object* object) {
  std::size_t size = 0;
  const char* name = ksr_object_field(object, KSR_FIELD_NAMESPACE, &size);
  return {name, size};
}

// Of the namespaces that were named.
std::ptrdiff_t rank_of(const printer& printer, std::string_view name) {
  return std::find(printer.namespaces.begin(), printer.namespaces.end(), name) - printer.namespaces.begin();
}

// That of the lists that are asked for, each in the order of etcd's keys, where "a-b/" is before "a/": kubectl's. A
// snapshot has the objects of a namespace together, by their names.
void order_by_key(const printer& printer, const ksr_object** objects, std::size_t count) {
  struct Group {
    std::ptrdiff_t rank;
    std::string prefix;
    std::vector<const ksr_object*> objects;
  };
  std::vector<Group> groups;
  for (std::size_t first = 0, next = 0; first < count; first = next) {
    const std::string_view name = namespace_of(objects[first]);
    while (next < count && namespace_of(objects[next]) == name) ++next;
    groups.push_back({rank_of(printer, name), std::string(name) + "/", {objects + first, objects + next}});
  }
  const auto is_before = [](const Group& a, const Group& b) {
    return std::tie(a.rank, a.prefix) < std::tie(b.rank, b.prefix);
  };
  std::stable_sort(groups.begin(), groups.end(), is_before);
  for (const Group& group : groups) objects = std::copy(group.objects.begin(), group.objects.end(), objects);
}

// Objects that came after the list are behind the others.
void order_by_place(const printer& printer, const ksr_object** objects, std::size_t count) {
  const auto key_of = [&](const ksr_object* object) {
    const std::size_t last = std::numeric_limits<std::size_t>::max();
    return std::pair(rank_of(printer, namespace_of(object)), printer.tables->place_of(object).value_or(last));
  };
  std::stable_sort(objects, objects + count,
                   [&](const ksr_object* a, const ksr_object* b) { return key_of(a) < key_of(b); });
}

bool needs_tables(const options& options) {
  return options.output == OUTPUT_TABLE && options.columns == nullptr;
}

bool open_tables(const options& options, ksr_config* config, printer& printer, std::string& problem) {
  WatchQuery query;
  query.by_change = options.by_change != 0;
  query.is_one = options.name != nullptr;
  query.is_limited = printer.is_limited;
  query.namespaces = printer.namespaces;
  for (std::size_t i = 0; i < options.setting_count; ++i) {
    const std::string_view key = options.settings[i].key;
    const std::string value = options.settings[i].value;
    if (key == "resource") query.resource = value;
    if (key == "label_selector") query.label_selector = value;
    if (key == "field_selector") query.field_selector = value;
  }
  // What the library does is told by the stream.
  ksr_config_on_log(config, nullptr);
  ksr_client* client = nullptr;
  ksr_error* error = nullptr;
  if (ksr_client_open(config, nullptr, nullptr, &client, &error) != KSR_OK) {
    problem = ksr_error_message(error, nullptr);
    ksr_error_free(error);
    return false;
  }
  printer.tables = std::make_unique<WatchTables>(client, std::move(query));
  return true;
}

void give(const std::vector<std::string>& cells, printer_cell_fn add, void* user_data) {
  for (const std::string& cell : cells) add(user_data, slice_of_string(cell));
}

}  // namespace

extern "C" {

struct printer* printer_new(const struct options* options, struct text* problem) {
  auto printer = std::make_unique<struct printer>();
  std::string what;
  bool fine = options->columns == nullptr || read_columns(options->columns, *printer, what);
  fine = fine && (options->sort_by == nullptr || set_sort_by(options->sort_by, *printer, what));
  if (!fine) {
    text_add(problem, slice_of_string(what));
    return nullptr;
  }
  printer->style.wide = options->wide != 0;
  printer->style.headers = options->no_headers == 0;
  printer->style.with_namespace = options->one_namespace == 0 && printer->columns.empty();
  printer->style.show_labels = options->show_labels != 0;
  for (const std::string_view name : ksr::split({options->label_columns.at, options->label_columns.len}, ',')) {
    if (!name.empty()) printer->style.label_columns.emplace_back(name);
  }
  set_order(*options, *printer);
  printer->shows_managed_fields = options->show_managed_fields != 0;
  printer->text.emplace(printer->style);
  return printer.release();
}

int printer_connect(struct printer* printer, const struct options* options, ksr_config* config, struct text* problem) {
  std::string what;
  if (!needs_tables(*options) || open_tables(*options, config, *printer, what)) return 1;
  text_add(problem, slice_of_string(what));
  return 0;
}

void printer_close(struct printer* printer) {
  delete printer;
}

int printer_fd(const struct printer* printer) {
  return printer->tables ? printer->tables->fd() : -1;
}

int printer_dispatch(struct printer* printer) {
  if (!printer->tables) return 0;
  const bool answered = printer->tables->dispatch();
  if (answered) printer->trouble = printer->tables->trouble();
  return answered ? 1 : 0;
}

int printer_prepare(struct printer* printer, const ksr_object* const* objects, size_t count, size_t total) {
  // Objects of a kind without namespaces have no such column.
  if (count > 0 && field_of(objects[0], KSR_FIELD_NAMESPACE).empty() && printer->style.with_namespace) {
    printer->style.with_namespace = false;
    printer->text.emplace(printer->style);
  }
  return !printer->tables || printer->tables->prepare(objects, count, total) ? 1 : 0;
}

int printer_has_rows(const struct printer* printer, const ksr_snapshot* snapshot) {
  return !printer->tables || printer->tables->has_rows(snapshot) ? 1 : 0;
}

void printer_refresh(struct printer* printer, const ksr_object* shown, size_t total) {
  if (printer->tables) printer->tables->refresh(shown, total);
}

int printer_due_ms(const struct printer* printer) {
  return printer->tables ? printer->tables->due_ms() : -1;
}

slice printer_trouble(const struct printer* printer) {
  return slice_of_string(printer->trouble);
}

void printer_forget_gone(struct printer* printer, const ksr_snapshot* snapshot) {
  if (printer->tables) printer->tables->forget_gone(snapshot);
}

void printer_begin_view(struct printer* printer) {
  printer->text.emplace(printer->style);
}

void printer_add_row(struct printer* printer, const ksr_object* object) {
  const TableRow* known = printer->tables ? printer->tables->row_of(object) : nullptr;
  printer->text->add_row(printer->columns_now(), printer->row_of(object, known));
}

void printer_take_lines(struct printer* printer, struct text* out) {
  text_add(out, slice_of_string(printer->text->take_text()));
}

void printer_each_title(struct printer* printer, printer_cell_fn add, void* user_data) {
  give(printer->text->titles_of(printer->columns_now()), add, user_data);
}

int printer_each_cell(struct printer* printer, const ksr_object* object, printer_cell_fn add, void* user_data) {
  const TableRow* known = printer->tables ? printer->tables->last_row_of(object) : nullptr;
  TableRow row = printer->row_of(object, known);
  const std::vector<TableColumn>& columns = printer->columns_now();
  const bool is_whole = known != nullptr || !printer->tables || printer->tables->is_plain();
  for (std::size_t i = 0; i < columns.size() && i < row.cells.size() && printer->pointers.empty(); ++i) {
    if (columns[i].is_age) row.cells[i] = age_of(object);
  }
  give(printer->text->cells_of(columns, row), add, user_data);
  return is_whole ? 1 : 0;
}

void printer_add_yaml(struct printer* printer, const ksr_object* object, struct text* out) {
  json::value value = json_of(object);
  if (!printer->shows_managed_fields) remove_managed_fields(value);
  const std::string text =
      (std::exchange(printer->has_document, true) ? "---\n" : "") + object_text(value, Format::yaml);
  text_add(out, slice_of_string(text));
}

void printer_add_name(const ksr_object* object, struct text* out) {
  const std::string kind = kind_prefix(field_of(object, KSR_FIELD_API_VERSION), field_of(object, KSR_FIELD_KIND));
  text_add(out, slice_of_string(shown(ksr::one_line(kind + "/" + field_of(object, KSR_FIELD_NAME), kMaxName)) + "\n"));
}

int printer_take_warning(struct printer* printer, struct text* out) {
  if (printer->tables && printer->warnings.empty()) printer->warnings = printer->tables->take_warnings();
  if (printer->warnings.empty()) return 0;
  text_add(out, slice_of_string("Warning: " + printer->warnings.front()));
  printer->warnings.erase(printer->warnings.begin());
  return 1;
}

int printer_order_is_servers(const struct printer* printer) {
  const bool is_chosen = printer->sort_by || printer->is_limited;
  return !is_chosen && printer->tables && printer->tables->has_own_order() ? 1 : 0;
}

int printer_sorts(const struct printer* printer) {
  const bool is_by_key = printer->has_namespaces && !printer->is_limited;
  return printer->sort_by || is_by_key || printer_order_is_servers(printer) != 0 ? 1 : 0;
}

void printer_sort(const struct printer* printer, const ksr_object** objects, size_t count) {
  if (!printer->is_limited) order_by_key(*printer, objects, count);
  if (printer_order_is_servers(printer) != 0) order_by_place(*printer, objects, count);
  if (!printer->sort_by) return;
  std::vector<std::pair<SortKey, const ksr_object*>> keyed;
  for (std::size_t i = 0; i < count; ++i) {
    keyed.emplace_back(SortKey(*printer->sort_by, json_of(objects[i])), objects[i]);
  }
  std::stable_sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < count; ++i) objects[i] = keyed[i].second;
}

}  // extern "C"

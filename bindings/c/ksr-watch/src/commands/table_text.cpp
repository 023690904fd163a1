#include "commands/table_text.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <limits>
#include <utility>

#include "base/civil_time.hpp"
#include "base/text.hpp"
#include "commands/json_text.hpp"
#include "commands/output.hpp"

extern "C" {
#include "clock.h"
}

namespace ksr::commands {
namespace {

namespace json = boost::json;

// k8s.io/cli-runtime/pkg/printers/tabwriter.go.
constexpr std::size_t kMinWidth = 6;
constexpr std::size_t kPadding = 3;

// Characters whose capitals are at a distance, or in pairs: each second one, the capital before it.
struct LowerCase {
  std::uint32_t first;
  std::uint32_t last;
  std::uint32_t distance;
  bool in_pairs = false;
};

// UnicodeData.txt: Latin-1, Latin Extended-A, Greek and Cyrillic.
constexpr LowerCase kLowerCase[] = {
    {0xE0, 0xF6, 32},        {0xF8, 0xFE, 32},        {0x101, 0x12F, 1, true}, {0x133, 0x137, 1, true},
    {0x13A, 0x148, 1, true}, {0x14B, 0x177, 1, true}, {0x17A, 0x17E, 1, true}, {0x3AC, 0x3AC, 38},
    {0x3AD, 0x3AF, 37},      {0x3B1, 0x3C1, 32},      {0x3C2, 0x3C2, 31},      {0x3C3, 0x3CB, 32},
    {0x3CC, 0x3CC, 64},      {0x3CD, 0x3CE, 63},      {0x430, 0x44F, 32},      {0x450, 0x45F, 80},
    {0x461, 0x481, 1, true}, {0x48B, 0x4BF, 1, true}, {0x4C2, 0x4CE, 1, true}, {0x4CF, 0x4CF, 15},
    {0x4D1, 0x52F, 1, true},
};

std::uint32_t upper_of(std::uint32_t c) {
  if (c == 0xB5) return 0x39C;
  if (c == 0xFF) return 0x178;
  if (c == 0x131) return 'I';
  if (c == 0x17F) return 'S';
  for (const LowerCase& range : kLowerCase) {
    if (c < range.first || c > range.last) continue;
    return range.in_pairs && (c - range.first) % 2 != 0 ? c : c - range.distance;
  }
  return c;
}

// As strings.ToUpper of Go, for the scripts above.
std::string upper_case(std::string_view any) {
  const std::string text = as_utf8(any);
  std::string upper;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0xC2 || lead > 0xDF) {
      upper += is_lower(text[i]) ? static_cast<char>(text[i] - 'a' + 'A') : text[i];
      continue;
    }
    const std::uint32_t c = upper_of((lead & 0x1FU) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU));
    if (c >= 0x80) upper += static_cast<char>(0xC0U | c >> 6U);
    upper += static_cast<char>(c >= 0x80 ? 0x80U | (c & 0x3FU) : c);
  }
  return upper;
}

// In characters, as kubectl counts them.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

std::string human_duration(std::int64_t seconds) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;
  struct text age = {};
  age_add(&age, std::clamp(seconds, -kMost, kMost) * 1000);
  std::string shown(age.at, age.len);
  text_free(&age);
  return shown;
}

std::string one_cell(std::string_view text) {
  const std::size_t end = text.find_first_of("\f\n\r");
  const std::string line = shown(text.substr(0, end));
  return end == std::string_view::npos ? line : line + "...";
}

namespace {

std::string cell_text(const json::value& cell) {
  if (cell.is_null()) return "";
  if (cell.is_string()) return one_cell({cell.get_string().data(), cell.get_string().size()});
  if (cell.is_double()) return go_number(cell.get_double());
  return one_cell(json::serialize(cell));
}

Labels labels_of(const json::value& object) {
  Labels labels;
  const json::value* found = value_at(object, {"metadata", "labels"});
  if (found == nullptr || !found->is_object()) return labels;
  for (const auto& label : found->get_object()) {
    labels[std::string(label.key().data(), label.key().size())] = cell_text(label.value());
  }
  return labels;
}

// Whether the column has the time since the object was created, rather than a value of the same title. The API
// describes it in the words of that field; a custom resource's without a description has its path.
bool is_age(const std::string& title, const json::value& column) {
  constexpr std::string_view kField = "CreationTimestamp is a timestamp ", kPath = " .metadata.creationTimestamp";
  const std::string said = text_at(column, {"description"});
  const bool is_path =
      said.size() >= kPath.size() && said.compare(said.size() - kPath.size(), kPath.size(), kPath) == 0;
  return title == "AGE" && (is_path || said.compare(0, kField.size(), kField) == 0);
}

bool is_beyond_narrow(const json::value& column) {
  const json::value* priority = value_at(column, {"priority"});
  return priority != nullptr && priority->is_int64() && priority->get_int64() != 0;
}

TableRow row_of(const json::value& object) {
  TableRow row;
  row.uid = text_at(object, {"metadata", "uid"});
  row.resource_version = text_at(object, {"metadata", "resourceVersion"});
  const std::string name_space = text_at(object, {"metadata", "namespace"});
  row.name = text_at(object, {"metadata", "name"});
  // As src/json/item_builder.hpp calls what is computed for each request, such as metrics.
  if (row.uid.empty()) row.uid = name_space + "/" + row.name;
  row.name_space = one_cell(name_space);
  row.labels = labels_of(object);
  return row;
}

std::string age_of(const json::value& object) {
  const auto created = parse_rfc3339(text_at(object, {"metadata", "creationTimestamp"}));
  if (!created) return "<unknown>";
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  return human_duration(now.count() - created->seconds);
}

}  // namespace

bool is_table(const json::value& answer) {
  return text_at(answer, {"kind"}) == "Table";
}

ServerTable read_table(const json::value& table) {
  ServerTable read;
  bool has_name = false;
  const json::array& definitions = array_at(table, {"columnDefinitions"});
  read.definitions = json::serialize(definitions);
  for (const json::value& column : definitions) {
    const bool is_name = !has_name && text_at(column, {"format"}) == "name" && text_at(column, {"type"}) == "string";
    has_name = has_name || is_name;
    const std::string title = one_cell(upper_case(text_at(column, {"name"})));
    read.columns.push_back({title, is_beyond_narrow(column), is_name, is_age(title, column)});
  }
  for (const json::value& row : array_at(table, {"rows"})) {
    const json::array& cells = array_at(row, {"cells"});
    const json::value* object = value_at(row, {"object"});
    const json::value none;
    TableRow one = row_of(object == nullptr ? none : *object);
    for (std::size_t i = 0; i < cells.size() && i < read.columns.size(); ++i) one.cells.push_back(cell_text(cells[i]));
    read.rows.push_back(std::move(one));
  }
  return read;
}

const std::vector<TableColumn>& plain_columns() {
  static const std::vector<TableColumn> columns{{"NAME", false, true, false}, {"AGE", false, false, true}};
  return columns;
}

void TableText::add(const json::value& answer) {
  if (is_table(answer)) {
    const ServerTable table = read_table(answer);
    for (const TableRow& row : table.rows) add_row(table.columns, row);
    return;
  }
  if (!is_list(answer)) return add_object(answer);
  for (const json::value& item : array_at(answer, {"items"})) add_object(item);
}

void TableText::add_object(const json::value& object) {
  TableRow row = row_of(object);
  row.cells = {one_cell(text_at(object, {"metadata", "name"})), age_of(object)};
  add_row(plain_columns(), row);
}

void TableText::add_row(const std::vector<TableColumn>& columns, const TableRow& row) {
  add_header(columns);
  rows_.push_back(cells_of(columns, row));
}

std::vector<std::string> TableText::cells_of(const std::vector<TableColumn>& columns, const TableRow& row) const {
  Row cells;
  if (style_.with_namespace) cells.push_back(row.name_space);
  for (std::size_t i = 0; i < row.cells.size() && i < columns.size(); ++i) {
    if (!style_.wide && columns[i].only_wide) continue;
    cells.push_back((columns[i].is_name ? style_.name_prefix : "") + row.cells[i]);
  }
  for (const std::string& name : style_.label_columns) {
    const auto found = row.labels.find(name);
    cells.push_back(found == row.labels.end() ? "" : found->second);
  }
  if (!style_.show_labels) return cells;
  // As k8s.io/apimachinery/pkg/labels, Set.String, orders them: each with its value.
  std::vector<std::string> pairs;
  for (const auto& [name, value] : row.labels) pairs.push_back(one_cell(name) + "=" + value);
  std::sort(pairs.begin(), pairs.end());
  std::string all;
  for (const std::string& pair : pairs) all += (all.empty() ? "" : ",") + pair;
  cells.push_back(all.empty() ? "<none>" : all);
  return cells;
}

std::vector<std::string> TableText::titles_of(const std::vector<TableColumn>& columns) const {
  Row titles;
  if (style_.with_namespace) titles.emplace_back("NAMESPACE");
  for (const TableColumn& column : columns) {
    if (style_.wide || !column.only_wide) titles.push_back(column.title);
  }
  for (const std::string& name : style_.label_columns) {
    titles.push_back(one_cell(upper_case(name.substr(name.rfind('/') + 1))));
  }
  if (style_.show_labels) titles.emplace_back("LABELS");
  return titles;
}

// Again where other columns follow.
void TableText::add_header(const std::vector<TableColumn>& columns) {
  Row titles = titles_of(columns);
  if (titles == last_header_) return;
  last_header_ = titles;
  if (style_.headers) rows_.push_back(std::move(titles));
}

// As Go's text/tabwriter: the last cell of a row does not count for the width of its column.
std::string TableText::take_text() {
  for (const Row& row : rows_) {
    if (row.size() > widths_.size()) widths_.resize(row.size(), kMinWidth);
    for (std::size_t i = 0; i + 1 < row.size(); ++i) widths_[i] = std::max(widths_[i], width_of(row[i]) + kPadding);
  }
  std::string text;
  for (const Row& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths_[i] - width_of(row[i]), ' ');
    }
    text += '\n';
  }
  rows_.clear();
  return text;
}

}  // namespace ksr::commands

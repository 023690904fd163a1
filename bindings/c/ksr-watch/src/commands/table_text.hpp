// `read_table` reads a Table of the server; `TableText` collects rows and writes them as kubectl does: columns as wide
// as they have to be. Used by get, and for the tables of watch. Any thread.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::commands {

struct TableStyle {
  bool wide = false;
  bool headers = true;
  bool with_namespace = false;
  bool show_labels = false;
  std::vector<std::string> label_columns;
  // "deployment.apps/" before each name; empty: nothing.
  std::string name_prefix;
};

struct TableColumn {
  std::string title;
  bool only_wide = false;
  // It has the name of the object.
  bool is_name = false;
  // It has the age of the object, which is computed anew for a table that is redrawn.
  bool is_age = false;
};

using Labels = std::map<std::string, std::string>;

struct TableRow {
  std::vector<std::string> cells;
  std::string uid;
  std::string resource_version;
  std::string name_space;
  std::string name;
  Labels labels;
};

struct ServerTable {
  // The columnDefinitions as they came.
  std::string definitions;
  std::vector<TableColumn> columns;
  std::vector<TableRow> rows;
};

bool is_table(const boost::json::value& answer);
// All texts are of one line, and have nothing in them that a terminal obeys.
ServerTable read_table(const boost::json::value& table);
// What objects have of which the server makes no Table.
const std::vector<TableColumn>& plain_columns();

// k8s.io/apimachinery/pkg/util/duration, HumanDuration.
std::string human_duration(std::int64_t seconds);

// Any text as that of a cell.
std::string one_cell(std::string_view text);

// The rows of one resource.
class TableText {
 public:
  explicit TableText(TableStyle style) : style_(std::move(style)) {}
  // A Table; or an object or a list of a server that makes none, of which names and ages are shown.
  void add(const boost::json::value& answer);
  void add_row(const std::vector<TableColumn>& columns, const TableRow& row);
  // Also without a row.
  void add_header(const std::vector<TableColumn>& columns);
  // What has been added since the last time; columns stay as wide as they were.
  std::string take_text();

  // What a row shows, and the titles.
  std::vector<std::string> titles_of(const std::vector<TableColumn>& columns) const;
  std::vector<std::string> cells_of(const std::vector<TableColumn>& columns, const TableRow& row) const;

 private:
  using Row = std::vector<std::string>;

  void add_object(const boost::json::value& object);

  TableStyle style_;
  Row last_header_;
  std::vector<Row> rows_;
  std::vector<std::size_t> widths_;
};

}  // namespace ksr::commands

// `TableText` collects the Tables of the server and writes them as kubectl does: columns as wide as they have to be.
// Used by get. Any thread.
#pragma once

#include <boost/json.hpp>

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

// The Tables of one resource.
class TableText {
 public:
  explicit TableText(TableStyle style) : style_(std::move(style)) {}
  // A Table; or an object or a list of a server that makes none, of which names and ages are shown.
  void add(const boost::json::value& answer);
  std::string text() const;

 private:
  using Row = std::vector<std::string>;

  void add_table(const boost::json::value& table);
  void add_object(const boost::json::value& object);
  Row with_columns(Row cells, const boost::json::value& object) const;
  void add_header(Row titles);

  TableStyle style_;
  Row last_header_;
  std::vector<Row> rows_;
};

}  // namespace ksr::commands

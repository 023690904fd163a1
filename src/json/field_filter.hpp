// `FieldFilter` cuts the text of an object to the fields that are wanted and reads its columns on the way, in one pass;
// used by stream::ListCall and WatchCall between a reader and the cache. Lives on the thread of its reader.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/field_path.hpp"
#include "json/item.hpp"
#include "json/text_cursor.hpp"

namespace ksr::json {

struct FieldOptions {
  // At most one of both: all that is kept, or what is dropped, apart from the identity of an object, which always stays
  // (see kIdentity in the .cpp).
  std::vector<FieldPath> keep;
  std::vector<FieldPath> drop;
  std::vector<FieldPath> columns;
  // Numbers of columns.
  std::vector<std::size_t> index;
  // Only a change of a column is one.
  bool notify_columns = false;

  bool cuts() const noexcept { return !keep.empty() || !drop.empty(); }
  bool empty() const noexcept { return !cuts() && columns.empty() && !notify_columns; }
};

// What is kept of a text has the order of the text. With `keep` a container is there only when something in it is kept.
// An element keeps its place: those before it that are cut are null, those after it are gone.
//
// A column is the decoded string, the text of any other value, "" for null and where there is none. Of a path with `*`
// it is all values joined with ",", in the order of the text. The columns of an object have at most `max_column_bytes`
// together; what exceeds that is cut off between characters, and an index has no entry for a value of which nothing is
// left, unless its whole column is empty.
class FieldFilter {
 public:
  // `ordered_by_recency`: the views are.
  FieldFilter(const FieldOptions& options, std::size_t max_column_bytes, bool ordered_by_recency = false);

  // The same item with less text, and with columns. Its views live as long as those of `item`, and until the next call.
  // Throws std::bad_alloc; allocates nothing once it has seen objects of the size.
  Item apply(const Item& item);

 private:
  // What becomes of a value: it stays whole, goes whole, or its parts are looked at: of `some` those that are named
  // stay, of `rest` those that are named go.
  enum class Fate : std::uint8_t { all, none, some, rest };

  struct Child {
    std::string name;
    std::uint32_t node;
  };
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};
  // All paths as one tree. A value may stand at several nodes at once, where a name and `*` meet.
  struct Node {
    std::vector<Child> children;  // by size and name
    std::uint32_t any = kNone;
    std::vector<std::uint32_t> columns;
    // Of this node itself.
    bool keeps = false;
    bool drops = false;
    bool is_identity = false;
    bool is_version = false;
    // Of this node or one below.
    bool keeps_below = false;
    bool drops_below = false;
    bool reads_below = false;
    // The container in which its name was met last: a name that is met twice there is one of two equal keys.
    std::uint64_t met_in = 0;
  };
  // Nodes in active_, from begin to its end at that time.
  struct Nodes {
    std::size_t begin;
    std::size_t end;
  };
  struct Column {
    bool several = false;
    bool indexed = false;
    bool has_value = false;
    std::string text;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> parts;  // begin, size
  };

  // Before the first object: the tree.
  static std::uint32_t child_named(const Node& node, std::string_view name) noexcept;
  Node& add(const FieldPath& path);
  void add_identity();
  void sum_up();

  // For each object.
  std::string_view joined(const Item& item);
  void walk(std::string_view text);
  void reset();
  // `value` appends to cut_ what is kept of the next value if `emit`; false: nothing of it is kept.
  bool value(TextCursor& cursor, const Nodes& nodes, Fate fate, bool emit);
  bool object(TextCursor& cursor, const Nodes& nodes, Fate fate);
  bool array(TextCursor& cursor, const Nodes& nodes, Fate fate);
  void append_whole(std::string_view value);
  Nodes member(const Nodes& from, std::string_view key, std::uint64_t container);
  Nodes element(const Nodes& from, std::size_t i);
  void push_children(std::uint32_t node, std::string_view name, std::uint64_t container);
  Fate fate_of(Fate parent, const Nodes& nodes) const noexcept;
  bool reads(const Nodes& nodes) const noexcept;
  void read(const Nodes& nodes, std::string_view value);
  void append_value(Column& column, std::string_view value);
  // False: some of it was cut off.
  bool append_text(Column& column, std::string_view text);
  void finish_columns();
  void add_values(std::uint32_t column);

  std::vector<Node> nodes_;
  std::vector<Column> columns_;
  const std::vector<std::size_t> index_;
  const std::size_t max_column_bytes_;
  const bool cuts_;
  const Fate fate_;

  std::vector<std::uint32_t> active_;
  std::string text_;     // of several pieces
  std::string cut_;      // what is kept
  std::string scratch_;  // a decoded name
  std::uint64_t containers_ = 0;
  std::size_t column_bytes_ = 0;
  bool equal_keys_ = false;
  // The raw resourceVersion, within what is read.
  std::string_view version_;
  ItemColumns result_;
};

}  // namespace ksr::json

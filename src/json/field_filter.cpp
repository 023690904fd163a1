#include "json/field_filter.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "json/unescape.hpp"

namespace ksr::json {
namespace {

// What is never cut: without it an object is not one, or cannot be ordered or addressed.
constexpr std::string_view kIdentity[][2] = {{"kind", ""},
                                             {"apiVersion", ""},
                                             {"metadata", "name"},
                                             {"metadata", "namespace"},
                                             {"metadata", "uid"},
                                             {"metadata", "resourceVersion"},
                                             {"metadata", "creationTimestamp"},
                                             {"metadata", "deletionTimestamp"}};

// What is kept between two objects; one large object must not hold memory for all the life of a stream.
constexpr std::size_t kMaxKept = std::size_t{1} << 20;

void empty(std::string& text) noexcept {
  if (text.capacity() > kMaxKept) std::string().swap(text);
  text.clear();
}

template <class T>
void empty(std::vector<T>& values) noexcept {
  if (values.capacity() * sizeof(T) > kMaxKept) std::vector<T>().swap(values);
  values.clear();
}

// The start of a UTF-8 text that has at most `room` bytes, cut between characters.
std::string_view cut_to(std::string_view text, std::size_t room) noexcept {
  if (text.size() <= room) return text;
  while (room > 0 && (static_cast<unsigned char>(text[room]) & 0xc0) == 0x80) --room;
  return text.substr(0, room);
}

// The text without all but the last of equal keys, so that they read as everywhere else.
void append_without_equal_keys(TextCursor& cursor, std::string& out);

void append_object(TextCursor& cursor, std::string& out) {
  struct Member {
    std::string_view key;
    std::string_view value;
  };
  std::vector<Member> members;
  std::unordered_map<std::string, std::size_t> last;
  cursor.skip_byte();
  while (cursor.at('"')) {
    const std::string_view key = cursor.take_value();
    if (key.size() < 2 || !cursor.take(':')) break;
    const std::string_view value = cursor.take_value();
    std::string name;
    unescape(key.substr(1, key.size() - 2), name);
    last[name] = members.size();
    members.push_back({key, value});
    if (!cursor.take(',')) break;
  }
  cursor.skip_byte();
  std::vector<bool> stays(members.size());
  for (const auto& [name, position] : last) stays[position] = true;
  out += '{';
  bool first = true;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (!stays[i]) continue;
    if (!std::exchange(first, false)) out += ',';
    out.append(members[i].key).append(1, ':');
    TextCursor value(members[i].value);
    append_without_equal_keys(value, out);
  }
  out += '}';
}

void append_array(TextCursor& cursor, std::string& out) {
  cursor.skip_byte();
  out += '[';
  for (bool first = true; !cursor.at(']'); first = false) {
    if (!first) out += ',';
    append_without_equal_keys(cursor, out);
    if (!cursor.take(',')) break;
  }
  cursor.skip_byte();
  out += ']';
}

void append_without_equal_keys(TextCursor& cursor, std::string& out) {
  if (cursor.at('{')) return append_object(cursor, out);
  if (cursor.at('[')) return append_array(cursor, out);
  out += cursor.take_value();
}

bool is_before(std::string_view a, std::string_view b) noexcept {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

FieldFilter::FieldFilter(const FieldOptions& options, std::size_t max_column_bytes, bool ordered_by_recency)
    : nodes_(1),
      columns_(options.columns.size()),
      index_(options.index),
      max_column_bytes_(std::min(max_column_bytes, std::size_t{1} << 30)),
      cuts_(options.cuts()),
      fate_(!options.keep.empty()   ? Fate::some
            : !options.drop.empty() ? Fate::rest
                                    : Fate::all) {
  for (const FieldPath& path : options.keep) add(path).keeps = true;
  for (const FieldPath& path : options.drop) add(path).drops = true;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    columns_[c].several = names_several(options.columns[c]);
    add(options.columns[c]).columns.push_back(static_cast<std::uint32_t>(c));
  }
  for (const std::size_t c : index_) columns_[c].indexed = true;
  result_.sameness = options.notify_columns ? Sameness::columns : cuts_ ? Sameness::text : Sameness::version;
  result_.ordered_by_recency = ordered_by_recency;
  if (cuts_) add_identity();
  sum_up();
}

// ---- the tree -------------------------------------------------------------------------------------------------------

std::uint32_t FieldFilter::child_named(const Node& node, std::string_view name) noexcept {
  constexpr std::size_t kFew = 8;
  const auto begin = node.children.begin();
  const auto end = node.children.end();
  const auto found = node.children.size() <= kFew
                         ? std::find_if(begin, end, [&](const Child& child) { return child.name == name; })
                         : std::lower_bound(begin, end, name, [](const Child& child, std::string_view wanted) {
                             return is_before(child.name, wanted);
                           });
  return found != end && found->name == name ? found->node : kNone;
}

FieldFilter::Node& FieldFilter::add(const FieldPath& path) {
  std::uint32_t at = 0;
  for (const FieldStep& step : path) {
    std::uint32_t below = step.any ? nodes_[at].any : child_named(nodes_[at], step.name);
    if (below == kNone) {
      below = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
      if (step.any) {
        nodes_[at].any = below;
      } else {
        auto& children = nodes_[at].children;
        const auto place =
            std::lower_bound(children.begin(), children.end(), step.name,
                             [](const Child& child, const std::string& name) { return is_before(child.name, name); });
        children.insert(place, {step.name, below});
      }
    }
    at = below;
  }
  return nodes_[at];
}

void FieldFilter::add_identity() {
  for (const auto& names : kIdentity) {
    FieldPath path{{std::string(names[0])}};
    if (!names[1].empty()) path.push_back({std::string(names[1])});
    Node& node = add(path);
    node.is_identity = true;
    node.is_version = names[1] == "resourceVersion" && result_.sameness == Sameness::text;
  }
}

// A node is made after the one above it.
void FieldFilter::sum_up() {
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    Node& node = nodes_[i];
    node.keeps_below = node.keeps || node.is_identity;
    node.drops_below = node.drops;
    node.reads_below = node.is_version || !node.columns.empty();
    const auto add_below = [&](const Node& below) {
      node.keeps_below |= below.keeps_below;
      node.drops_below |= below.drops_below;
      node.reads_below |= below.reads_below;
    };
    for (const Child& child : node.children) add_below(nodes_[child.node]);
    if (node.any != kNone) add_below(nodes_[node.any]);
  }
}

// ---- an object ------------------------------------------------------------------------------------------------------

Item FieldFilter::apply(const Item& item) {
  std::string_view text = joined(item);
  walk(text);
  if (equal_keys_) {
    std::string plain;
    TextCursor cursor(text);
    append_without_equal_keys(cursor, plain);
    text_ = std::move(plain);
    walk(text_);
  }
  finish_columns();
  Item made = item;
  if (cuts_) {
    made.text = {};
    made.text[0] = cut_;
  }
  made.columns = &result_;
  return made;
}

std::string_view FieldFilter::joined(const Item& item) {
  empty(text_);
  std::string_view only;
  std::size_t pieces = 0;
  for (const std::string_view piece : item.text) {
    if (piece.empty()) continue;
    only = piece;
    ++pieces;
  }
  if (pieces == 1) return only;
  for (const std::string_view piece : item.text) text_ += piece;
  return text_;
}

void FieldFilter::reset() {
  empty(cut_);
  for (Column& column : columns_) {
    empty(column.text);
    empty(column.parts);
    column.has_value = false;
  }
  column_bytes_ = 0;
  equal_keys_ = false;
  version_ = {};
  result_.version_begin = result_.version_size = 0;
}

void FieldFilter::walk(std::string_view text) {
  reset();
  active_.assign(1, 0);
  TextCursor cursor(text);
  if (!value(cursor, {0, 1}, fate_, cuts_)) cut_ = "{}";
}

bool FieldFilter::value(TextCursor& cursor, const Nodes& nodes, Fate fate, bool emit) {
  const bool is_object = cursor.at('{');
  const bool is_container = is_object || cursor.at('[');
  const char* const begin = cursor.position();
  const bool in_parts = fate == Fate::some || fate == Fate::rest;
  bool kept = fate == Fate::all || fate == Fate::rest;
  if (is_container && (in_parts || reads(nodes))) {
    const bool some_kept = is_object ? object(cursor, nodes, fate) : array(cursor, nodes, fate);
    if (in_parts) kept = some_kept;
  } else {
    cursor.take_value();
  }
  const std::string_view whole(begin, static_cast<std::size_t>(cursor.position() - begin));
  read(nodes, whole);
  if (emit && (fate == Fate::all || (fate == Fate::rest && !is_container))) append_whole(whole);
  return kept;
}

void FieldFilter::append_whole(std::string_view value) {
  cut_ += value;
  if (version_.data() == nullptr || version_.data() < value.data() || version_.data() >= value.data() + value.size()) {
    return;
  }
  result_.version_begin = cut_.size() - static_cast<std::size_t>(value.data() + value.size() - version_.data());
  result_.version_size = version_.size();
}

bool FieldFilter::object(TextCursor& cursor, const Nodes& nodes, Fate fate) {
  const std::uint64_t container = ++containers_;
  const bool writes = fate == Fate::some || fate == Fate::rest;
  const std::size_t mark = cut_.size();
  bool any = false;
  if (writes) cut_ += '{';
  cursor.skip_byte();
  while (cursor.at('"')) {
    const std::string_view key = cursor.take_value();
    if (key.size() < 2 || !cursor.take(':')) break;
    const Nodes below = member(nodes, key.substr(1, key.size() - 2), container);
    const Fate fate_below = fate_of(fate, below);
    if (fate_below == Fate::none && !reads(below)) {
      cursor.take_value();
    } else {
      const std::size_t before = cut_.size();
      const bool emit = writes && fate_below != Fate::none;
      if (emit) {
        if (any) cut_ += ',';
        cut_.append(key).append(1, ':');
      }
      const bool kept = value(cursor, below, fate_below, emit) && emit;
      if (!kept) cut_.resize(before);
      any = any || kept;
    }
    active_.resize(below.begin);
    if (!cursor.take(',')) break;
  }
  cursor.skip_byte();
  const bool stays = any || fate == Fate::rest;
  if (writes && stays) cut_ += '}';
  if (writes && !stays) cut_.resize(mark);
  return stays;
}

bool FieldFilter::array(TextCursor& cursor, const Nodes& nodes, Fate fate) {
  const bool writes = fate == Fate::some || fate == Fate::rest;
  const std::size_t mark = cut_.size();
  std::size_t end_of_kept = mark + 1;
  bool any = false;
  if (writes) cut_ += '[';
  cursor.skip_byte();
  for (std::size_t i = 0; !cursor.at(']'); ++i) {
    const Nodes below = element(nodes, i);
    const Fate fate_below = fate_of(fate, below);
    const bool emit = writes && fate_below != Fate::none;
    if (writes && i > 0) cut_ += ',';
    const bool kept = value(cursor, below, fate_below, emit) && emit;
    if (kept) {
      end_of_kept = cut_.size();
      any = true;
    } else if (writes) {
      cut_ += "null";
    }
    active_.resize(below.begin);
    if (!cursor.take(',')) break;
  }
  cursor.skip_byte();
  if (!writes) return true;
  const bool stays = any || fate == Fate::rest;
  cut_.resize(stays ? end_of_kept : mark);
  if (stays) cut_ += ']';
  return stays;
}

FieldFilter::Nodes FieldFilter::member(const Nodes& from, std::string_view key, std::uint64_t container) {
  const std::size_t begin = active_.size();
  if (key.find('\\') != std::string_view::npos) {
    scratch_.clear();
    unescape(key, scratch_);
    key = scratch_;
  }
  for (std::size_t i = from.begin; i < from.end; ++i) push_children(active_[i], key, container);
  return {begin, active_.size()};
}

FieldFilter::Nodes FieldFilter::element(const Nodes& from, std::size_t i) {
  const std::size_t begin = active_.size();
  char digits[24] = {};
  std::string_view number;
  for (std::size_t n = from.begin; n < from.end; ++n) {
    if (number.empty() && !nodes_[active_[n]].children.empty()) {
      number = {digits, static_cast<std::size_t>(std::to_chars(digits, std::end(digits), i).ptr - digits)};
    }
    push_children(active_[n], number, 0);
  }
  return {begin, active_.size()};
}

// `container` 0: an array.
void FieldFilter::push_children(std::uint32_t node, std::string_view name, std::uint64_t container) {
  if (const std::uint32_t named = child_named(nodes_[node], name); named != kNone) {
    if (container != 0 && std::exchange(nodes_[named].met_in, container) == container) equal_keys_ = true;
    active_.push_back(named);
  }
  if (nodes_[node].any != kNone) active_.push_back(nodes_[node].any);
}

FieldFilter::Fate FieldFilter::fate_of(Fate parent, const Nodes& nodes) const noexcept {
  if (parent == Fate::all || parent == Fate::none) return parent;
  bool dropped = parent == Fate::some;
  bool drops_below = false;
  bool keeps_below = false;
  for (std::size_t i = nodes.begin; i < nodes.end; ++i) {
    const Node& node = nodes_[active_[i]];
    if (node.is_identity || node.keeps) return Fate::all;
    dropped = dropped || node.drops;
    drops_below = drops_below || node.drops_below;
    keeps_below = keeps_below || node.keeps_below;
  }
  if (dropped) return keeps_below ? Fate::some : Fate::none;
  return drops_below ? Fate::rest : Fate::all;
}

bool FieldFilter::reads(const Nodes& nodes) const noexcept {
  for (std::size_t i = nodes.begin; i < nodes.end; ++i) {
    if (nodes_[active_[i]].reads_below) return true;
  }
  return false;
}

// ---- columns --------------------------------------------------------------------------------------------------------

void FieldFilter::read(const Nodes& nodes, std::string_view value) {
  for (std::size_t i = nodes.begin; i < nodes.end; ++i) {
    const Node& node = nodes_[active_[i]];
    if (node.is_version && value.size() >= 2 && value.front() == '"') version_ = value.substr(1, value.size() - 2);
    for (const std::uint32_t column : node.columns) append_value(columns_[column], value);
  }
}

void FieldFilter::append_value(Column& column, std::string_view value) {
  if (value.empty() || value == "null") return;
  const bool follows = column.several && std::exchange(column.has_value, true);
  const bool has_place = !follows || append_text(column, ",");
  const std::size_t begin = column.text.size();
  if (value.front() != '"') {
    append_text(column, value);
  } else if (value.size() >= 2) {
    unescape_pieces(value.substr(1, value.size() - 2), [&](std::string_view piece) { append_text(column, piece); });
  }
  const bool is_there = column.text.size() > begin || (has_place && value == R"("")");
  if (column.several && column.indexed && is_there) {
    column.parts.emplace_back(static_cast<std::uint32_t>(begin),
                              static_cast<std::uint32_t>(column.text.size() - begin));
  }
}

bool FieldFilter::append_text(Column& column, std::string_view text) {
  const std::string_view fits = cut_to(text, max_column_bytes_ - column_bytes_);
  column.text += fits;
  const bool whole = fits.size() == text.size();
  // Nothing follows what was cut off.
  column_bytes_ = whole ? column_bytes_ + fits.size() : max_column_bytes_;
  return whole;
}

void FieldFilter::finish_columns() {
  result_.texts.clear();
  for (const Column& column : columns_) result_.texts.emplace_back(column.text);
  empty(result_.values);
  result_.value_ends.clear();
  for (const std::size_t column : index_) {
    add_values(static_cast<std::uint32_t>(column));
    result_.value_ends.push_back(static_cast<std::uint32_t>(result_.values.size()));
  }
}

void FieldFilter::add_values(std::uint32_t number) {
  Column& column = columns_[number];
  if (!column.several || column.parts.empty()) {
    result_.values.push_back({number, 0, static_cast<std::uint32_t>(column.text.size())});
    return;
  }
  const auto text_of = [&](const std::pair<std::uint32_t, std::uint32_t>& part) {
    return std::string_view(column.text).substr(part.first, part.second);
  };
  std::sort(column.parts.begin(), column.parts.end(),
            [&](const auto& a, const auto& b) { return text_of(a) < text_of(b); });
  const auto end = std::unique(column.parts.begin(), column.parts.end(),
                               [&](const auto& a, const auto& b) { return text_of(a) == text_of(b); });
  for (auto part = column.parts.begin(); part != end; ++part)
    result_.values.push_back({number, part->first, part->second});
}

}  // namespace ksr::json

#include "store/object.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <new>

#include "store/block_recycler.hpp"

namespace ksr::store {
namespace {

char* append(char* to, std::string_view text) noexcept {
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

// The recency of most objects is their creation: the string is kept once.
bool recency_is_creation(const json::Item& item) noexcept {
  return item.recency == item.creation_timestamp;
}

// Those that are stored, in the order of Object::Key.
template <class Add>
void for_each_key(const json::Item& item, const Add& add) {
  add(item.name_space);
  add(item.name);
  add(item.uid);
  add(item.resource_version);
  add(item.kind);
  add(item.api_version);
  add(item.creation_timestamp);
  if (!recency_is_creation(item)) add(item.recency);
}

// For the ends that the head of an object holds.
bool are_long(std::size_t keys) noexcept {
  return keys > std::numeric_limits<std::uint16_t>::max();
}

bool is_stored(const json::ItemColumns* columns) noexcept {
  return columns != nullptr && (!columns->texts.empty() || columns->sameness != json::Sameness::version);
}

}  // namespace

std::uint64_t hash_of(std::string_view text) noexcept {
  return std::hash<std::string_view>{}(text);
}

Object::KeyEnds Object::key_ends(const json::Item& item) {
  KeyEnds ends;
  std::size_t end = 0;
  std::size_t key = kNameSpace;
  for_each_key(item, [&](std::string_view text) {
    end += text.size() + 1;
    if (end > std::numeric_limits<std::uint32_t>::max()) throw std::bad_alloc();
    ends[key++] = static_cast<std::uint32_t>(end);
  });
  if (key == kRecency) ends[kRecency] = ends[kCreationTimestamp];
  return ends;
}

std::size_t Object::bytes_for(const json::Item& item, const KeyEnds& ends) {
  if (item.text_size() > kMaxJson) throw std::bad_alloc();
  return sizeof(Object) + column_bytes_for(item.columns, are_long(ends.back())) + ends.back() + item.text_size() + 1;
}

std::size_t Object::column_bytes_for(const json::ItemColumns* columns, bool long_keys) {
  static_assert(sizeof(Object) % alignof(Columns) == 0);
  const std::size_t key_bytes = long_keys ? sizeof(KeyEnds) : 0;
  if (!is_stored(columns)) return long_keys ? sizeof(Columns) + key_bytes : 0;
  if (columns->texts.size() > kMaxColumns) throw std::bad_alloc();
  std::size_t bytes = sizeof(Columns) + columns->values.size() * sizeof(StoredValue) + key_bytes +
                      (columns->texts.size() + columns->value_ends.size()) * sizeof(std::uint32_t);
  for (const std::string_view column : columns->texts) bytes += column.size() + 1;
  if (bytes > std::numeric_limits<std::uint32_t>::max()) throw std::bad_alloc();
  return bytes;
}

Object::Object(const json::Item& item, const KeyEnds& ends, const Object* before, std::size_t slack) noexcept
    : json_size_(item.text_size() & kMaxJson),
      slack_(slack & kMaxSlack),
      has_columns_(is_stored(item.columns) || are_long(ends.back()) ? 1 : 0),
      long_keys_(are_long(ends.back()) ? 1 : 0),
      uid_hash_(before != nullptr ? before->uid_hash() : hash_of(item.uid)) {
  write(item, ends);
}

void Object::write(const json::Item& item, const KeyEnds& ends) noexcept {
  static const json::ItemColumns kNone;
  char* to = reinterpret_cast<char*>(this + 1);
  if (has_columns_) to = write_columns(is_stored(item.columns) ? *item.columns : kNone, ends);
  std::transform(ends.begin(), ends.end(), ends_.begin(),
                 [](std::uint32_t end) noexcept { return static_cast<std::uint16_t>(end); });
  for_each_key(item, [&to](std::string_view key) {
    to = append(to, key);
    *to++ = '\0';
  });
  for (std::string_view piece : item.text) to = append(to, piece);
  *to = '\0';
}

// Returns where they end.
char* Object::write_columns(const json::ItemColumns& columns, const KeyEnds& key_ends) noexcept {
  const bool version_known =
      columns.version_size <= kMaxVersionSize && columns.version_begin <= std::numeric_limits<std::uint32_t>::max();
  char* const begin = reinterpret_cast<char*>(this + 1);
  auto* const head = new (begin) Columns;
  head->count = columns.texts.size() & kMaxColumns;
  head->indexes = columns.value_ends.size() & kMaxColumns;
  head->values = static_cast<std::uint32_t>(columns.values.size()) & kMaxValues;
  head->ordered_by_recency = columns.ordered_by_recency ? 1 : 0;
  head->version_begin = static_cast<std::uint32_t>(version_known ? columns.version_begin : 0);
  head->version_size = version_known ? columns.version_size & kMaxVersionSize : 0;
  head->sameness = static_cast<std::uint32_t>(columns.sameness) & 3u;

  auto* const ends = reinterpret_cast<std::uint32_t*>(head + 1);
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < columns.texts.size(); ++i) {
    end += static_cast<std::uint32_t>(columns.texts[i].size() + 1);
    new (ends + i) std::uint32_t(end);
  }
  std::uint32_t* const value_ends = ends + columns.texts.size();
  for (std::size_t i = 0; i < columns.value_ends.size(); ++i) new (value_ends + i) std::uint32_t(columns.value_ends[i]);
  auto* const values = reinterpret_cast<StoredValue*>(value_ends + columns.value_ends.size());
  for (std::size_t i = 0; i < columns.values.size(); ++i) {
    const json::ItemColumns::Value& value = columns.values[i];
    const std::uint32_t column_begin = value.column == 0 ? 0 : ends[value.column - 1];
    new (values + i) StoredValue{column_begin + value.begin, value.size, 0};
  }
  char* to = reinterpret_cast<char*>(values + columns.values.size());
  if (long_keys_) {
    std::memcpy(to, key_ends.data(), sizeof(KeyEnds));
    to += sizeof(KeyEnds);
  }
  for (const std::string_view text : columns.texts) {
    to = append(to, text);
    *to++ = '\0';
  }
  head->bytes = static_cast<std::uint32_t>(to - begin);
  return to;
}

std::string_view Object::column(std::size_t i) const noexcept {
  const std::uint32_t begin = i == 0 ? 0 : column_ends()[i - 1];
  return {column_text() + begin, column_ends()[i] - begin - 1};
}

Object::Values Object::values_of(std::size_t index) const noexcept {
  if (!has_columns_ || index >= columns().indexes) return {0, 0};
  const std::uint32_t* const ends = column_ends() + columns().count;
  return {index == 0 ? 0 : ends[index - 1], ends[index]};
}

std::string_view Object::value(std::size_t number) const noexcept {
  const StoredValue& value = stored_value(number);
  return {column_text() + value.begin, value.size};
}

std::size_t Object::kept_size() const noexcept {
  const std::size_t count = column_count();
  return json_size() + (count == 0 ? 0 : column_ends()[count - 1] - count);
}

std::string_view Object::text_around_version(bool after) const noexcept {
  const std::string_view json = field(Field::json);
  const Columns& head = columns();
  return after ? json.substr(head.version_begin + head.version_size) : json.substr(0, head.version_begin);
}

bool Object::has_same_columns(const Object& other) const noexcept {
  const std::size_t count = column_count();
  if (count != other.column_count()) return false;
  if (count == 0) return true;
  return std::equal(column_ends(), column_ends() + count, other.column_ends()) &&
         std::memcmp(column_text(), other.column_text(), column_ends()[count - 1]) == 0 && has_same_values(other);
}

// Of columns that read the same: "a,b" may be one value or two.
bool Object::has_same_values(const Object& other) const noexcept {
  const std::size_t indexes = columns().indexes;
  const std::uint32_t* const ends = column_ends() + columns().count;
  const std::uint32_t* const other_ends = other.column_ends() + other.columns().count;
  if (indexes != other.columns().indexes || !std::equal(ends, ends + indexes, other_ends)) return false;
  for (std::size_t i = 0; i < value_count(); ++i) {
    const StoredValue& mine = stored_value(i);
    const StoredValue& others = other.stored_value(i);
    if (mine.size != others.size) return false;
    if (mine.begin != others.begin && value(i) != other.value(i)) return false;
  }
  return true;
}

bool Object::is_same_but_for_version(const Object& other) const noexcept {
  const auto sameness = other.has_columns_ ? this->sameness() : json::Sameness::version;
  if (sameness != json::Sameness::version && columns().ordered_by_recency != 0) {
    if (recency_time() != other.recency_time()) return false;
  }
  if (sameness == json::Sameness::columns) return has_same_columns(other);
  if (sameness == json::Sameness::text && columns().version_size != 0 && other.columns().version_size != 0) {
    return text_around_version(false) == other.text_around_version(false) &&
           text_around_version(true) == other.text_around_version(true) && has_same_columns(other);
  }
  return resource_version() == other.resource_version() && field(Field::json) == other.field(Field::json) &&
         has_same_columns(other);
}

void Object::destroy() const noexcept {
  void* const memory = const_cast<Object*>(this);
  const std::size_t capacity = size() + slack_;
  this->~Object();
  BlockRecycler::shared().release(memory, capacity);
}

std::string_view Object::field(Field field) const noexcept {
  switch (field) {
    case Field::json:
      return {text() + end_of(kRecency), json_size()};
    case Field::uid:
      return key(kUid);
    case Field::name_space:
      return key(kNameSpace);
    case Field::name:
      return key(kName);
    case Field::resource_version:
      return key(kResourceVersion);
    case Field::kind:
      return key(kKind);
    case Field::api_version:
      return key(kApiVersion);
    case Field::creation_timestamp:
      return key(kCreationTimestamp);
  }
  return {};
}

ObjectRef ObjectRef::create(const json::Item& item, const Object* before) {
  ObjectRef created;
  const Object::KeyEnds ends = Object::key_ends(item);
  const std::size_t size = Object::bytes_for(item, ends);
  // A later state of an object seldom has exactly the size of the one before.
  const BlockRecycler::Block block = BlockRecycler::shared().allocate(size, size + size / 32);
  created.object_ = new (block.memory) Object(item, ends, before, block.capacity - size);
  return created;
}

}  // namespace ksr::store

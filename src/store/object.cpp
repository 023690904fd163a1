#include "store/object.hpp"

#include <cstring>
#include <functional>
#include <limits>
#include <new>

#include "store/block_recycler.hpp"
#include "store/timestamp.hpp"

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

}  // namespace

std::uint64_t hash_of(std::string_view text) noexcept {
  return std::hash<std::string_view>{}(text);
}

std::size_t Object::bytes_for(const json::Item& item) {
  std::size_t keys = 0;
  for (std::string_view key : {item.uid, item.name_space, item.name, item.resource_version, item.kind, item.api_version,
                               item.creation_timestamp, item.recency}) {
    keys += key.size() + 1;
  }
  if (keys > std::numeric_limits<std::uint32_t>::max() || item.text_size() > kMaxJson) throw std::bad_alloc();
  if (recency_is_creation(item)) keys -= item.recency.size() + 1;
  return sizeof(Object) + keys + item.text_size() + 1;
}

Object::Object(const json::Item& item, std::size_t slack) noexcept
    : json_size_(item.text_size() & kMaxJson),
      slack_(slack & kMaxSlack),
      uid_hash_(hash_of(item.uid)),
      recency_time_(parse_timestamp(item.recency)) {
  write(item);
}

void Object::write(const json::Item& item) noexcept {
  char* const begin = reinterpret_cast<char*>(this + 1);
  char* to = begin;
  std::size_t key = kNameSpace;
  const auto add = [&](std::string_view text) {
    to = append(to, text);
    *to++ = '\0';
    ends_[key++] = static_cast<std::uint32_t>(to - begin);
  };
  add(item.name_space);
  add(item.name);
  add(item.uid);
  add(item.resource_version);
  add(item.kind);
  add(item.api_version);
  add(item.creation_timestamp);
  if (recency_is_creation(item)) {
    ends_[key] = ends_[key - 1];
  } else {
    add(item.recency);
  }
  for (std::string_view piece : item.text) to = append(to, piece);
  *to = '\0';
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
      return {text() + ends_[kRecency], json_size()};
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

ObjectRef ObjectRef::create(const json::Item& item) {
  ObjectRef created;
  const std::size_t size = Object::bytes_for(item);
  // A later state of an object seldom has exactly the size of the one before.
  const BlockRecycler::Block block = BlockRecycler::shared().allocate(size, size + size / 32);
  created.object_ = new (block.memory) Object(item, block.capacity - size);
  return created;
}

}  // namespace ksr::store

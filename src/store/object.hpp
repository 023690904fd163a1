// One stored object: one allocation that holds its JSON text and, NUL-terminated beside it, its key fields.
// Immutable; the reference count is atomic, so an object may be kept and read on any thread.
#pragma once

#include <string_view>

#include "json/item.hpp"

namespace ksr::store {

enum class Field { json, uid, name_space, name, resource_version, kind, api_version, creation_timestamp };

// SKETCH, to be filled in by the room: every field's text is NUL-terminated in place.
class Object {
 public:
  std::string_view field(Field field) const noexcept;
  std::string_view recency() const noexcept;
  void retain() const noexcept;
  void release() const noexcept;
};

// A counted reference; empty by default. Throws std::bad_alloc from create() only.
class ObjectRef {
 public:
  static ObjectRef create(const json::Item& item);
  const Object* get() const noexcept;
};

}  // namespace ksr::store

// An immutable state of the cache. Cheap to copy, usable on any thread, outlives the cache.
#pragma once

#include <cstddef>
#include <string_view>

#include "store/object.hpp"

namespace ksr::store {

// SKETCH, to be filled in by the room. Pointers are borrowed: they live as long as some View that holds the object.
class View {
 public:
  std::size_t count() const noexcept;
  const Object* at(std::size_t i) const noexcept;  // nullptr past the end
  const Object* find(std::string_view name_space, std::string_view name) const noexcept;
  const Object* find_uid(std::string_view uid) const noexcept;
  std::string_view resource_version() const noexcept;
};

}  // namespace ksr::store

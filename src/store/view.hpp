// `View` is an immutable state of the cache; used by delivery::Snapshot. Cheap to copy, outlives the cache. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "store/index.hpp"
#include "store/last_lookup.hpp"
#include "store/object.hpp"

namespace ksr::store {

// Pointers are borrowed: valid as long as a View with the object exists. Empty by default.
class View {
 public:
  View() noexcept = default;
  // Throws std::bad_alloc.
  View(const Index& visible, std::string_view resource_version);
  // The same objects under another version. Throws std::bad_alloc.
  View under(std::string_view resource_version) const;

  std::size_t count() const noexcept;
  const Object* at(std::size_t i) const noexcept;  // nullptr past the end
  const Object* find(std::string_view name_space, std::string_view name) const noexcept;
  const Object* find_uid(std::string_view uid) const noexcept { return find_uid(UidProbe::of(uid)); }
  const Object* find_uid(const UidProbe& uid) const noexcept;
  // Of the objects whose column, which is indexed, has that value: how many there are; one, in the order of at().
  std::size_t index_count(std::size_t column, std::string_view value) const noexcept;
  const Object* index_at(std::size_t column, std::string_view value, std::size_t i) const noexcept;
  std::string_view resource_version() const noexcept;  // NUL-terminated

 private:
  friend class Deltas;
  struct State {
    State(const Index& index, std::string_view version) : visible(index), resource_version(version) {}

    const Index visible;
    const std::string resource_version;
    mutable LastLookup last_lookup;
  };

  std::shared_ptr<const State> state_;
};

}  // namespace ksr::store

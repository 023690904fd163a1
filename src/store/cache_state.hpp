// `CacheState` is everything that a cache holds at one time, and what of it is visible; used by Cache and merge_list. A
// value: a copy costs a few references, so that a change of many steps is made on a copy, which replaces the original
// once all of them have succeeded. Guarded by the mutex of its cache's owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "store/changes.hpp"
#include "store/index.hpp"

namespace ksr::store {

class CacheState {
 public:
  // `indexed`: the columns by whose values views find objects. Throws std::bad_alloc.
  explicit CacheState(std::size_t limit, const std::vector<std::size_t>& indexed = {});

  const Index& all() const noexcept { return all_; }
  // What views show. With a limit it is an index of its own, so that a kept view holds no object that it does not show.
  const Index& visible() const noexcept { return limit_ == 0 ? all_ : window_; }
  std::uint64_t bytes() const noexcept { return bytes_; }

  // Replaces an object by another of the same uid; `before` is nullptr for an addition, `after` for a deletion. The
  // caller holds a reference to `before`; no other object may have the name of `after`. Throws std::bad_alloc and has
  // then done nothing.
  void change(const Object* before, const Object* after, NodePools& pools);
  // Replaces all objects by these (see Index). Throws std::bad_alloc and has then done nothing.
  void rebuild(const std::vector<const Object*>& by_uid, const std::vector<const Object*>& by_name, NodePools& pools);

  // True when the visible objects differ from those at the last take_changes().
  bool changed() const noexcept;
  Changes take_changes() noexcept;
  // Another number whenever views made now may be others than those made before, be it by what is no change for the
  // host.
  std::uint64_t edition() const noexcept { return edition_; }

 private:
  struct WindowChange {
    const Object* before = nullptr;
    const Object* after = nullptr;
  };
  struct WindowChanges {
    WindowChange of_the_object;
    WindowChange at_the_boundary;
  };

  Index& shown() noexcept { return limit_ == 0 ? all_ : window_; }
  WindowChanges visible_changes(const Object* before, const Object* after) const noexcept;
  void reserve_for(std::size_t window_changes, NodePools& pools) const;
  // The value indexes afterwards, if an object has too many values to change them in place; else reserves for that.
  std::optional<ValueIndexes> prepare_values(const WindowChanges& window_changes, NodePools& pools) const;
  void show(const WindowChange& window_change, NodePools& pools) noexcept;
  Index window_of(const Index& all) const;
  static void note_difference(const Index& old_visible, const Index& new_visible, Changes& changes, NodePools& pools);
  // Of what is not visible any more, but among `all`.
  static void note_last_states(const Index& all, Changes& changes, NodePools& pools);

  std::size_t limit_;
  Index all_;
  Index window_;  // unused without a limit
  std::uint64_t bytes_ = 0;
  Changes changes_ = Changes::from_empty();
  std::uint64_t edition_ = 0;
};

}  // namespace ksr::store

// The view of one stream: objects by uid, in order, with immutable snapshots. Pure data: no threads, no I/O.
//
// Thread rule: none of its own; delivery guards a cache with its mutex. Views and objects are free of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "json/item.hpp"
#include "json/watch_reader.hpp"
#include "store/changes.hpp"
#include "store/view.hpp"

namespace ksr::store {

enum class Applied {
  added,
  modified,
  deleted,
  // Not newer than what is held, or than what is known to be deleted: no change.
  stale,
  // The object was not there to be deleted.
  absent,
};

class Cache {
 public:
  // `limit` 0: views are ordered by (namespace, name). Else they show the `limit` most recent of all objects.
  explicit Cache(std::size_t limit);

  // --- a list, in pages; nothing of it is seen before it is committed -------------------------------------------
  void begin_list();
  // An item whose uid and resourceVersion are held already costs no memory.
  void stage(const json::Item& item);
  // All staged objects take the place of the old ones; what was not listed is deleted. No uid goes back in time: a
  // staged object older than the held one (compared as digit strings) leaves the newer one in place.
  // Returns how many objects changed (added + modified + deleted).
  std::size_t commit_list(std::string_view resource_version);
  void abandon_list();
  bool listing() const noexcept;

  // --- a watch ----------------------------------------------------------------------------------------------------
  Applied apply(json::EventType type, const json::Item& item);
  // A bookmark, or the version of the last event: what view().resource_version() will say.
  void set_resource_version(std::string_view resource_version);

  // --- reading ----------------------------------------------------------------------------------------------------
  // True once a list was committed.
  bool synced() const noexcept;
  std::size_t count() const noexcept;        // all objects, beyond `limit` too
  std::uint64_t stored_bytes() const noexcept;  // JSON text of all objects held
  // True when something seen through a view has changed since the last cut().
  bool changed() const noexcept;
  // The view as it is now and what changed in it since the cut before. O(changes), no copy of the cache.
  Cut cut();
};

}  // namespace ksr::store

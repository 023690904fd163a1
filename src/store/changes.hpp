// What changed between two views, kept as what there was before.
#pragma once

#include <cstddef>
#include <cstdint>

#include "store/view.hpp"

namespace ksr::store {

enum class DeltaKind : std::int32_t { added = 1, modified = 2, deleted = 3 };

struct Delta {
  DeltaKind kind;
  ObjectRef object;  // deleted: its last state in the earlier view
};

// SKETCH, to be filled in by the room. uid -> the object as it was in the earlier view (none: it was not in it), or the
// single fact that the earlier view was empty, so that a first list costs nothing here.
class Changes {
 public:
  bool empty() const noexcept;
  // These happened first, then `later`: what was noted first wins.
  void append(Changes later);
};

struct Cut {
  View view;
  Changes changes;
};

// SKETCH. The deltas from the earlier view to `now`, at most one per uid, computed without a copy of the cache: what is
// gone first (DELETED), then the rest, each by (namespace, name). Added and deleted in between, or changed back to the
// same object: nothing.
class Deltas {
 public:
  Deltas(const Changes& changes, const View& now);
  std::size_t count() const noexcept;
  Delta at(std::size_t i) const;
};

}  // namespace ksr::store

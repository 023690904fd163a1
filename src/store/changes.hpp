// `Changes` records what changed between two views, as what there was before, and `Deltas` is computed from it; used by
// Cache, delivery::Publisher and Snapshot. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "store/ordered_set.hpp"
#include "store/orders.hpp"
#include "store/view.hpp"

namespace ksr::store {

enum class DeltaKind : std::int32_t { added = 1, modified = 2, deleted = 3 };

struct Delta {
  DeltaKind kind;
  ObjectRef object;   // deleted: the last state that was known of it
  ObjectRef before;   // what it was in the earlier view; empty: added
  bool left = false;  // deleted: it exists, but is not one of the most recent any more
};

// uid -> the object as it was in the earlier view, empty when it was not in it. A uid that is not noted has not
// changed, or, when the earlier view was empty, was not there: so a first list costs nothing here. A value; copies are
// cheap and may be used on any thread. Changes of one view only: what is as it was is not noted.
class Changes {
 public:
  Changes() noexcept = default;
  static Changes from_empty() noexcept;

  // False: something may have changed; between two cuts of one cache it has, merged ones may have cancelled out.
  bool empty() const noexcept { return !from_empty_ && notes_.empty(); }
  // These happened first, then `later`: what was noted first wins. Throws std::bad_alloc and has then done nothing.
  void append(Changes later);

  bool earlier_was_empty() const noexcept { return from_empty_; }
  // The view that they lead to may have later states than were noted: what is no change for the host (json::Sameness)
  // is noted up to the next cut alone.
  bool are_behind() const noexcept { return behind_; }
  void set_behind() noexcept { behind_ = true; }
  // What was noted, by uid. Of each, unless the earlier view was empty, before and after are different states.
  const OrderedSet<Notes>& notes() const noexcept { return notes_; }

  // One uid went from one state to another (nullptr: not there); reserve budget() for each such call.
  NodeBudget budget(std::size_t calls) const noexcept;
  void note(const Object* before, const Object* after, NodePool<Notes>& pool) noexcept;
  // The newest state of one uid, which matters where it was noted and is not there any more; counts as a call.
  void note_last(const Object& state, NodePool<Notes>& pool) noexcept;

 private:
  // `last` counts where `after` is empty.
  static void continue_note(OrderedSet<Notes>& notes, const Notes::Entry& noted, ObjectRef after, ObjectRef last,
                            NodePool<Notes>& pool) noexcept;

  bool from_empty_ = false;
  bool behind_ = false;
  OrderedSet<Notes> notes_;
};

struct Cut {
  View view;
  Changes changes;
};

class Cache;

// The deltas from the earlier view to `now`, at most one per uid, computed without a copy of the cache: deletions
// first, then the rest, each by (namespace, name). Added and deleted in between, or the same version in the
// end: nothing. Usable on any thread; holds what it shows.
class Deltas {
 public:
  // Throws std::bad_alloc.
  Deltas(const Changes& changes, const View& now);

  // Marks the deleted objects that `cache` still holds, and shows them as they are there. Before the deltas are shared.
  // Throws std::bad_alloc and has then done nothing.
  void mark_left(const Cache& cache);

  // The same deltas with another view of the same objects.
  Deltas rebased_on(const View& same) const noexcept;
  // The same deltas with the objects of a view in which none has changed for the host.
  Deltas renewed_on(const View& newer) const noexcept;

  std::size_t count() const noexcept;
  Delta at(std::size_t i) const;  // i below count()
  // The same without a reference of its own: valid as long as these deltas.
  DeltaKind kind_at(std::size_t i) const noexcept;
  const Object* object_at(std::size_t i) const noexcept;
  const Object* before_at(std::size_t i) const noexcept { return rows_ ? rows_->sorted[i].before : nullptr; }
  bool left_at(std::size_t i) const noexcept { return rows_ && rows_->sorted[i].left; }

 private:
  struct Row {
    DeltaKind kind;
    bool left;
    const Object* object;
    const Object* before;
  };
  struct Rows {
    std::vector<Row> sorted;
    // What keeps the objects: counting each one up and down again would cost more than the rest.
    Changes changes;
    std::vector<ObjectRef> unnoted;
  };

  static void sort(std::vector<Row>& rows);
  static void add_noted(const Notes::Entry& entry, const Object* after, Rows& rows);
  static void compare_noted(const View& now, Rows& rows);
  static void add_unnoted(const View& now, Rows& rows);

  // Without rows every object of the view is ADDED, and nothing else happened.
  std::shared_ptr<Rows> rows_;
  // The view has later states of the objects than the rows.
  bool behind_ = false;
  View view_;  // where one of both holds
};

}  // namespace ksr::store

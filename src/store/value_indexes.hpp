// `ValueIndexes` finds the visible objects by the values of their columns (the config key index); used by Index. A
// value with the thread rule of OrderedSet.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "store/last_lookup.hpp"
#include "store/ordered_set.hpp"
#include "store/orders.hpp"

namespace ksr::store {

// Empty by default. Copies share what they have in common.
class ValueIndexes {
 public:
  ValueIndexes() noexcept = default;
  // Without objects; `columns`: the numbers of the columns that are indexed. Throws std::bad_alloc, as all that is not
  // noexcept.
  ValueIndexes(const std::vector<std::size_t>& columns, bool by_recency);
  // Of the same columns, with these objects, which are in the order of the view.
  ValueIndexes rebuilt(const std::vector<const Object*>& shown) const;

  bool empty() const noexcept { return indexes_.empty(); }
  // Objects whose column has that value; 0 and nullptr for a column that is not indexed. `last` is of these indexes.
  std::size_t count(std::size_t column, std::string_view value, LastLookup& last) const noexcept;
  const Object* at(std::size_t column, std::string_view value, std::size_t i, LastLookup& last) const noexcept;

  // Replaces an object, as Index::change. In place, if it has few values: with nodes in the pool for budget().
  static bool has_few_values(const Object* before, const Object* after) noexcept;
  NodeBudget budget(const Object* before, const Object* after) const noexcept;
  void change(const Object* before, const Object* after, NodePool<ByValue>& pool) noexcept;
  // Brings into the cache what a change of the object will look at.
  void prefetch(const Object* before) const noexcept;
  // Any number of values: by way of a copy, since so many nodes cannot be reserved ahead.
  ValueIndexes changed(const Object* before, const Object* after, NodePool<ByValue>& pool) const;

 private:
  struct One {
    std::size_t column;
    OrderedSet<ByValue> set;
  };
  using Set = OrderedSet<ByValue>;

  const One* find(std::size_t column) const noexcept;
  static void look_up(const Set& set, std::string_view value, LastLookup::Run& run) noexcept;
  bool keeps_places(std::size_t index, const Object* before, const Object* after) const noexcept;
  // `prepare` is called before each change of a set.
  template <class Prepare>
  void change_each(const Object* before, const Object* after, NodePool<ByValue>& pool, const Prepare& prepare);
  static void replace(Set& set, const Object& before, std::size_t old_number, const Object& after,
                      std::size_t new_number, NodePool<ByValue>& pool) noexcept;

  std::vector<One> indexes_;
  bool by_recency_ = false;
};

}  // namespace ksr::store

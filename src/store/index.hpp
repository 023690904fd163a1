// `Index` is a set of objects in all orders that are needed: by uid, by (namespace, name), and optionally by recency
// and by values of columns; used by CacheState and View. A value with the thread rule of OrderedSet.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "store/ordered_set.hpp"
#include "store/orders.hpp"
#include "store/value_indexes.hpp"

namespace ksr::store {

// Nodes for the next changes. Belongs to the cache, not to any state of it.
struct NodePools {
  NodePool<ByUid> by_uid;
  NodePool<ByName> by_name;
  NodePool<ByRecency> by_recency;
  NodePool<ByValue> by_value;
  NodePool<Notes> notes;
};

struct IndexBudget {
  NodeBudget by_uid;
  NodeBudget by_name;
  NodeBudget by_recency;

  IndexBudget operator+(const IndexBudget& other) const noexcept {
    return {by_uid + other.by_uid, by_name + other.by_name, by_recency + other.by_recency};
  }
};

// A value: copies share what they have in common. Thread rule as OrderedSet's.
class Index {
 public:
  explicit Index(bool with_recency) noexcept : with_recency_(with_recency) {}
  // The same objects in the order of ByUid and of ByName, no two with one uid or name; `values` with these objects.
  // Throws std::bad_alloc.
  Index(bool with_recency, const std::vector<const Object*>& by_uid, const std::vector<const Object*>& by_name,
        const ValueIndexes& values = {});

  std::size_t size() const noexcept { return by_uid_.size(); }
  const Object* find_uid(const UidProbe& probe) const noexcept;
  const Object* find(std::string_view name_space, std::string_view name) const noexcept;
  const Object* at(std::size_t i) const noexcept;  // by recency if that order is kept, else by name

  const OrderedSet<ByUid>& by_uid() const noexcept { return by_uid_; }
  const OrderedSet<ByName>& by_name() const noexcept { return by_name_; }
  const OrderedSet<ByRecency>& by_recency() const noexcept { return by_recency_; }

  // What change() leaves to the caller, who has reserved more for it, or made it before.
  const ValueIndexes& values() const noexcept { return values_; }
  ValueIndexes& values() noexcept { return values_; }

  // Brings what find_uid() searches into the cache, but does not wait for it; the object that it would find.
  void prefetch_place(const UidProbe& probe) const noexcept { by_uid_.prefetch_leaf(probe); }
  void prefetch(const UidProbe& probe) const noexcept;
  // The same of what a change of the object will look at.
  void prefetch_places(const Object& object) const noexcept { by_name_.prefetch_near(object.name_position()); }

  IndexBudget budget(std::size_t changes) const noexcept;
  // Replaces an object by another of the same uid; `before` is nullptr for an addition, `after` for a deletion. The
  // caller holds a reference to `before`; no other object may have the name of `after`.
  void change(const Object* before, const Object* after, NodePools& pools) noexcept;

 private:
  void change_name(const Object* before, const Object* after, NodePool<ByName>& pool) noexcept;
  void replace_name(const Object& before, const Object& after, NodePool<ByName>& pool) noexcept;
  void change_recency(const Object* before, const Object* after, NodePool<ByRecency>& pool) noexcept;
  void change_uid(const Object* before, const Object* after, NodePool<ByUid>& pool) noexcept;

  bool with_recency_;
  OrderedSet<ByUid> by_uid_;
  OrderedSet<ByName> by_name_;
  OrderedSet<ByRecency> by_recency_;
  ValueIndexes values_;
};

void reserve(NodePools& pools, const IndexBudget& budget);

}  // namespace ksr::store

// `build_set` makes an OrderedSet from entries that are in order already, in one pass, with nearly full nodes; used by
// Index and ValueIndexes. Guarded by the mutex of its cache's owner.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "store/ordered_set.hpp"

namespace ksr::store {

// Distributes `total` entries evenly over nodes of `capacity`, leaving some of each free.
class EvenSplit {
 public:
  EvenSplit(std::size_t total, std::size_t capacity) noexcept : total_(total) {
    const std::size_t wanted = capacity - capacity / 8;
    nodes_ = (total + wanted - 1) / wanted;
  }
  std::size_t nodes() const noexcept { return nodes_; }
  std::size_t begin(std::size_t node) const noexcept {
    return node * (total_ / nodes_) + std::min(node, total_ % nodes_);
  }

 private:
  std::size_t total_;
  std::size_t nodes_;
};

template <class Order>
std::vector<NodeRef<Order>> build_parents(std::vector<NodeRef<Order>> children) {
  const EvenSplit split(children.size(), kFanOut);
  std::vector<NodeRef<Order>> parents;
  parents.reserve(split.nodes());
  for (std::size_t n = 0; n < split.nodes(); ++n) {
    auto inner = std::make_unique<Inner<Order>>();
    inner->level = static_cast<std::uint16_t>(children.front().level() + 1);
    for (std::size_t i = split.begin(n); i < split.begin(n + 1); ++i) {
      set_child(*inner, inner->size++, children[i]);
    }
    parents.emplace_back(std::move(inner));
  }
  return parents;
}

// `entry_at(i)`: the entries in the order of the set, to whose objects the caller has references. Throws
// std::bad_alloc.
template <class Order, class EntryAt>
OrderedSet<Order> build_set(std::size_t size, const EntryAt& entry_at) {
  if (size == 0) return {};
  const EvenSplit split(size, Order::kLeafCapacity);
  std::vector<NodeRef<Order>> level;
  level.reserve(split.nodes());
  for (std::size_t n = 0; n < split.nodes(); ++n) {
    auto leaf = std::make_unique<Leaf<Order>>();
    for (std::size_t i = split.begin(n); i < split.begin(n + 1); ++i) {
      leaf->entries[leaf->size++] = entry_at(i);
    }
    level.emplace_back(std::move(leaf));
  }
  while (level.size() > 1) level = build_parents<Order>(std::move(level));
  return OrderedSet<Order>(std::move(level.front()), size);
}

template <class Order>
OrderedSet<Order> build_set(const std::vector<const Object*>& objects) {
  return build_set<Order>(objects.size(), [&](std::size_t i) { return Order::entry(*objects[i]); });
}

}  // namespace ksr::store

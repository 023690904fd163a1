// `TreeEdit` changes the nodes of an OrderedSet; used by OrderedSet. No change can fail: the nodes it may need are in
// the NodePool before. Guarded by the mutex of its cache's owner.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "store/tree_node.hpp"

namespace ksr::store {

struct NodeBudget {
  std::size_t leaves;
  std::size_t inners;

  NodeBudget operator+(const NodeBudget& other) const noexcept {
    return {leaves + other.leaves, inners + other.inners};
  }
};

// Whether a node is the first or last of its level: there, a run of insertions in order leaves full nodes.
struct Edge {
  bool first;
  bool last;
  static Edge both() noexcept { return {true, true}; }
};

template <class Order>
std::size_t lower_bound(const Leaf<Order>& leaf, const typename Order::Probe& probe) noexcept {
  const auto* end = leaf.entries + leaf.size;
  const auto* at = std::lower_bound(leaf.entries, end, probe, [](const auto& entry, const auto& wanted) {
    return Order::compare(Order::key(entry), wanted) < 0;
  });
  return static_cast<std::size_t>(at - leaf.entries);
}

// Where the leaf holds what the probe names; its size when it does not.
template <class Order>
std::size_t position_of(const Leaf<Order>& leaf, const typename Order::Probe& probe) noexcept {
  if constexpr (Order::kScanLeaf) {
    std::size_t i = 0;
    while (i < leaf.size && !Order::is(Order::key(leaf.entries[i]), probe)) ++i;
    return i;
  } else {
    const std::size_t i = lower_bound(leaf, probe);
    return i < leaf.size && Order::compare(Order::key(leaf.entries[i]), probe) == 0 ? i : leaf.size;
  }
}

template <class Order>
std::size_t child_for(const Inner<Order>& inner, const typename Order::Probe& probe) noexcept {
  const auto* begin = inner.first + 1;
  const auto* at = std::upper_bound(begin, inner.first + inner.size, probe, [](const auto& wanted, const auto& key) {
    return Order::compare(key, wanted) > 0;
  });
  return static_cast<std::size_t>(at - begin);
}

// The child that holds the entry at position `within`, which then counts from the child's first; `before` grows by the
// entries of the children before it.
template <class Order>
std::size_t child_at(const Inner<Order>& inner, std::size_t& within, std::size_t& before) noexcept {
  std::size_t c = 0;
  while (within >= inner.count[c]) {
    before += inner.count[c];
    within -= inner.count[c++];
  }
  return c;
}

template <class Order>
typename Order::Key first_key(const NodeRef<Order>& node) noexcept {
  return node.is_leaf() ? Order::key(node.leaf().entries[0]) : node.inner().first[0];
}

template <class Order>
std::size_t entries_below(const NodeRef<Order>& node) noexcept {
  if (node.is_leaf()) return node.size();
  const Inner<Order>& inner = node.inner();
  std::size_t count = 0;
  for (std::size_t i = 0; i < inner.size; ++i) count += inner.count[i];
  return count;
}

template <class Order>
void set_child(Inner<Order>& inner, std::size_t i, NodeRef<Order> child) noexcept {
  inner.first[i] = first_key(child);
  inner.count[i] = entries_below(child);
  inner.child[i] = std::move(child);
}

template <class Order>
class TreeEdit {
 public:
  using Ref = NodeRef<Order>;
  using Entry = typename Order::Entry;
  using Probe = typename Order::Probe;

  explicit TreeEdit(NodePool<Order>& pool) noexcept : pool_(pool) {}

  // Returns the new right sibling when the node was split.
  Ref insert(Ref& node, Entry entry, Edge edge) noexcept {
    own(node);
    if (node.is_leaf()) return insert_into_leaf(node.leaf(), std::move(entry), edge);
    Inner<Order>& inner = node.inner();
    const std::size_t i = child_for(inner, Order::probe(Order::key(entry)));
    const Edge below{edge.first && i == 0, edge.last && i + 1 == inner.size};
    Ref right = insert(inner.child[i], std::move(entry), below);
    refresh(inner, i);
    return right ? insert_child(inner, i + 1, std::move(right), edge) : Ref();
  }

  // A new root over two nodes of one level.
  Ref join(Ref left, Ref right) noexcept {
    Ref root = pool_.inner(left.level() + 1);
    set_child(root.inner(), 0, std::move(left));
    set_child(root.inner(), 1, std::move(right));
    root.inner().size = 2;
    return root;
  }

  void erase(Ref& node, const Probe& probe) noexcept {
    own(node);
    if (node.is_leaf()) {
      Leaf<Order>& leaf = node.leaf();
      const std::size_t at = position_of(leaf, probe);
      std::move(leaf.entries + at + 1, leaf.entries + leaf.size, leaf.entries + at);
      --leaf.size;
      leaf.entries[leaf.size] = Entry{};
      return;
    }
    Inner<Order>& inner = node.inner();
    const std::size_t i = child_for(inner, probe);
    erase(inner.child[i], probe);
    if (inner.child[i].size() == 0) return remove_child(inner, i);
    refresh(inner, i);
    if (!merge_with_next(inner, i) && i > 0) merge_with_next(inner, i - 1);
  }

  // Returns the position among the entries below the node.
  std::size_t replace(Ref& node, Entry entry) noexcept {
    own(node);
    const Probe probe = Order::probe(Order::key(entry));
    if (node.is_leaf()) {
      const std::size_t at = position_of(node.leaf(), probe);
      std::swap(node.leaf().entries[at], entry);
      return at;
    }
    Inner<Order>& inner = node.inner();
    const std::size_t i = child_for(inner, probe);
    std::size_t position = replace(inner.child[i], std::move(entry));
    inner.first[i] = first_key(inner.child[i]);
    for (std::size_t c = 0; c < i; ++c) position += inner.count[c];
    return position;
  }

  void replace_at(Ref& node, std::size_t position, Entry entry) noexcept {
    own(node);
    if (node.is_leaf()) return std::swap(node.leaf().entries[position], entry);
    Inner<Order>& inner = node.inner();
    std::size_t before = 0;
    const std::size_t i = child_at(inner, position, before);
    replace_at(inner.child[i], position, std::move(entry));
    inner.first[i] = first_key(inner.child[i]);
  }

 private:
  // Afterwards the node is not shared. Copying a node adds references to its children and so makes them shared in turn:
  // own() is called for each node on the way down.
  void own(Ref& node) noexcept {
    if (node.unique()) return;
    prefetch_below(node);
    Ref copy = node.is_leaf() ? pool_.leaf() : pool_.inner(node.level());
    if (node.is_leaf()) {
      append(copy.leaf(), node.leaf(), 0);
    } else {
      append(copy.inner(), node.inner(), 0);
    }
    node = std::move(copy);
  }

  static void append(Leaf<Order>& to, const Leaf<Order>& from, std::size_t begin) noexcept {
    std::copy(from.entries + begin, from.entries + from.size, to.entries + to.size);
    to.size = static_cast<std::uint16_t>(to.size + from.size - begin);
  }
  static void append(Inner<Order>& to, const Inner<Order>& from, std::size_t begin) noexcept {
    std::copy(from.first + begin, from.first + from.size, to.first + to.size);
    std::copy(from.child + begin, from.child + from.size, to.child + to.size);
    std::copy(from.count + begin, from.count + from.size, to.count + to.size);
    to.size = static_cast<std::uint16_t>(to.size + from.size - begin);
  }
  static void truncate(Leaf<Order>& leaf, std::size_t size) noexcept {
    std::fill(leaf.entries + size, leaf.entries + leaf.size, Entry{});
    leaf.size = static_cast<std::uint16_t>(size);
  }
  static void truncate(Inner<Order>& inner, std::size_t size) noexcept {
    std::fill(inner.child + size, inner.child + inner.size, Ref());
    inner.size = static_cast<std::uint16_t>(size);
  }

  static std::size_t split_point(std::size_t size, std::size_t at, Edge edge) noexcept {
    if (edge.last && at == size) return size;
    if (edge.first && at == 0) return 0;
    return size / 2;
  }
  template <class N>
  void split(N& left, N& right, std::size_t point) noexcept {
    append(right, left, point);
    truncate(left, point);
  }

  Ref insert_into_leaf(Leaf<Order>& leaf, Entry entry, Edge edge) noexcept {
    const std::size_t at = lower_bound(leaf, Order::probe(Order::key(entry)));
    if (leaf.size < Order::kLeafCapacity) {
      place(leaf, at, std::move(entry));
      return {};
    }
    const std::size_t point = split_point(leaf.size, at, edge);
    Ref right = pool_.leaf();
    split(leaf, right.leaf(), point);
    const bool goes_left = at < point || point == 0;
    place(goes_left ? leaf : right.leaf(), goes_left ? at : at - point, std::move(entry));
    return right;
  }
  static void place(Leaf<Order>& leaf, std::size_t at, Entry entry) noexcept {
    std::move_backward(leaf.entries + at, leaf.entries + leaf.size, leaf.entries + leaf.size + 1);
    leaf.entries[at] = std::move(entry);
    ++leaf.size;
  }

  Ref insert_child(Inner<Order>& inner, std::size_t at, Ref child, Edge edge) noexcept {
    if (inner.size < kFanOut) {
      place(inner, at, std::move(child));
      return {};
    }
    // Never an empty left node: a child is placed after the one it was split from, so `at` is not 0.
    const std::size_t point = edge.first && at == 1 ? 1 : split_point(inner.size, at, {false, edge.last});
    Ref right = pool_.inner(inner.level);
    split(inner, right.inner(), point);
    const bool goes_left = at < point || (at == point && point < kFanOut);
    place(goes_left ? inner : right.inner(), goes_left ? at : at - point, std::move(child));
    return right;
  }
  static void place(Inner<Order>& inner, std::size_t at, Ref child) noexcept {
    std::move_backward(inner.first + at, inner.first + inner.size, inner.first + inner.size + 1);
    std::move_backward(inner.child + at, inner.child + inner.size, inner.child + inner.size + 1);
    std::move_backward(inner.count + at, inner.count + inner.size, inner.count + inner.size + 1);
    set_child(inner, at, std::move(child));
    ++inner.size;
  }
  static void remove_child(Inner<Order>& inner, std::size_t at) noexcept {
    std::move(inner.first + at + 1, inner.first + inner.size, inner.first + at);
    std::move(inner.child + at + 1, inner.child + inner.size, inner.child + at);
    std::move(inner.count + at + 1, inner.count + inner.size, inner.count + at);
    truncate(inner, inner.size - 1u);
  }
  static void refresh(Inner<Order>& inner, std::size_t i) noexcept {
    inner.first[i] = first_key(inner.child[i]);
    inner.count[i] = entries_below(inner.child[i]);
  }

  // Two siblings that fit into three quarters of a node become one: nodes stay filled by a third at least, and the
  // next insertion does not split them again at once.
  bool merge_with_next(Inner<Order>& inner, std::size_t i) noexcept {
    if (i + 1 >= inner.size) return false;
    const std::size_t capacity = inner.child[i].is_leaf() ? Order::kLeafCapacity : kFanOut;
    if (inner.child[i].size() + inner.child[i + 1].size() > capacity * 3 / 4) return false;
    own(inner.child[i]);
    if (inner.child[i].is_leaf()) {
      append(inner.child[i].leaf(), inner.child[i + 1].leaf(), 0);
    } else {
      append(inner.child[i].inner(), inner.child[i + 1].inner(), 0);
    }
    refresh(inner, i);
    remove_child(inner, i + 1);
    return true;
  }

  NodePool<Order>& pool_;
};

}  // namespace ksr::store

// `OrderedSet` is a persistent ordered set with order statistics; used by Index and Changes. A B+ tree whose copies
// share their nodes: copying a set costs one reference, changing it copies only the shared nodes on the path.
//
// An Order defines the entries and how they compare:
//   Entry                       the element of a leaf, which keeps its object alive if it has a reference
//   Key, key(entry)             the same without a reference, for the inner nodes
//   Probe, probe(key)           what to look for
//   compare(key, probe)         below, at or above zero; no two entries of a set compare equal
//   kScanLeaf, is(key, probe)   true: search a leaf linearly, comparing with is(), which is cheap
//   prefetch(entry), kLeafCapacity
//
// One thread changes a set; copies of it may be read and destroyed on any other at the same time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "store/tree_edit.hpp"
#include "store/tree_node.hpp"

namespace ksr::store {

template <class Order>
class OrderedSet {
 public:
  using Entry = typename Order::Entry;
  using Key = typename Order::Key;
  using Probe = typename Order::Probe;

  OrderedSet() noexcept = default;
  OrderedSet(NodeRef<Order> root, std::size_t size) noexcept : root_(std::move(root)), size_(size) {}

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  const NodeRef<Order>& root() const noexcept { return root_; }

  const Entry* find(const Probe& probe) const noexcept {
    if (!root_) return nullptr;
    const NodeRef<Order>* node = &root_;
    while (!node->is_leaf()) {
      node = &node->inner().child[child_for(node->inner(), probe)];
      prefetch_all(*node);
    }
    const Leaf<Order>& leaf = node->leaf();
    const std::size_t i = position_of(leaf, probe);
    return i < leaf.size ? &leaf.entries[i] : nullptr;
  }

  // nullptr past the end.
  const Entry* at(std::size_t i) const noexcept {
    if (i >= size_) return nullptr;
    const NodeRef<Order>* node = &root_;
    while (!node->is_leaf()) {
      std::size_t before = 0;
      const Inner<Order>& inner = node->inner();
      node = &inner.child[child_at(inner, i, before)];
    }
    return &node->leaf().entries[i];
  }

  // Those of one leaf: number `begin` to end - 1 of the set. They live as long as a copy of the set.
  struct Entries {
    const Entry* entries = nullptr;
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  // The leaf that has entry number i, which is there.
  Entries leaf_with(std::size_t i) const noexcept {
    std::size_t within = i;
    const NodeRef<Order>* node = &root_;
    while (!node->is_leaf()) {
      std::size_t before = 0;
      const Inner<Order>& inner = node->inner();
      node = &inner.child[child_at(inner, within, before)];
    }
    return {node->leaf().entries, i - within, i - within + node->size()};
  }

  struct Found {
    const Entry* entry = nullptr;
    std::size_t position = 0;
  };

  // The entry for which `is` holds, if it is near `position`; else an empty result. Compares no keys.
  template <class Is>
  Found find_near(std::size_t position, const Is& is) const noexcept {
    if (!root_) return {};
    std::size_t within = std::min(position, size_ - 1);
    std::size_t before = 0;
    const NodeRef<Order>* node = &root_;
    while (!node->is_leaf()) {
      const Inner<Order>& inner = node->inner();
      const std::size_t c = child_at(inner, within, before);
      node = &inner.child[c];
    }
    const Leaf<Order>& leaf = node->leaf();
    // At its old position, if nothing was added or deleted before it.
    if (is(leaf.entries[within])) return {&leaf.entries[within], before + within};
    for (std::size_t i = 0; i < leaf.size; ++i) {
      if (is(leaf.entries[i])) return {&leaf.entries[i], before + i};
    }
    return {};
  }

  // Brings the leaf that find_near would look at into the cache.
  void prefetch_near(std::size_t position) const noexcept {
    if (!root_) return;
    std::size_t within = std::min(position, size_ - 1);
    std::size_t before = 0;
    const NodeRef<Order>* node = &root_;
    while (!node->is_leaf()) {
      const Inner<Order>& inner = node->inner();
      node = &inner.child[child_at(inner, within, before)];
      if (inner.level == 1) break;
    }
    __builtin_prefetch(node->get(), 1);
    __builtin_prefetch(&static_cast<const Leaf<Order>*>(node->get())->entries[within], 1);
  }

  // Brings the leaf that find() would look at into the cache, and returns it; nullptr where the set is empty.
  const Leaf<Order>* prefetch_leaf(const Probe& probe) const noexcept {
    if (!root_) return nullptr;
    if (root_.is_leaf()) return &root_.leaf();
    for (const NodeRef<Order>* node = &root_;;) {
      const Inner<Order>& inner = node->inner();
      node = &inner.child[child_for(inner, probe)];
      prefetch_all(*node);
      // Asking the child itself would wait for it.
      if (inner.level == 1) return static_cast<const Leaf<Order>*>(node->get());
    }
  }

  // How many entries stand before the probe.
  std::size_t rank(const Probe& probe) const noexcept {
    if (!root_) return 0;
    std::size_t before = 0;
    const NodeRef<Order>* node = &root_;
    while (!node->is_leaf()) {
      const Inner<Order>& inner = node->inner();
      const std::size_t c = child_for(inner, probe);
      for (std::size_t i = 0; i < c; ++i) before += inner.count[i];
      node = &inner.child[c];
    }
    return before + lower_bound(node->leaf(), probe);
  }

  template <class Visit>
  void for_each(const Visit& visit) const {
    if (root_) for_each_below(root_, visit);
  }
  // The same where the keys of each entry's object are looked at.
  template <class Visit>
  void for_each_object(const Visit& visit) const {
    const auto prefetch = [](const Leaf<Order>& leaf) {
      for (std::size_t i = 0; i < leaf.size; ++i) Order::prefetch_keys(leaf.entries[i]);
    };
    if (root_) for_each_below(root_, visit, prefetch);
  }

  // Nodes that `changes` calls of insert, erase or replace may take from the pool.
  NodeBudget budget(std::size_t changes) const noexcept {
    const std::size_t level = root_ ? root_.level() : 0;
    const std::size_t growth =
        changes > 1 ? 1 : 0;  // the first change may add a level that the next one has to descend
    return {2 * changes, (2 * (level + growth) + 1) * changes};
  }

  // The entry must not be there yet.
  void insert(Entry entry, NodePool<Order>& pool) noexcept {
    ++size_;
    if (!root_) root_ = pool.leaf();
    NodeRef<Order> right = TreeEdit<Order>(pool).insert(root_, std::move(entry), Edge::both());
    if (right) root_ = TreeEdit<Order>(pool).join(std::move(root_), std::move(right));
  }

  // The entry must be there. Its object may be destroyed with it: what the probe points at must be kept by the caller.
  void erase(const Probe& probe, NodePool<Order>& pool) noexcept {
    TreeEdit<Order>(pool).erase(root_, probe);
    if (--size_ == 0) root_ = {};
    while (root_ && !root_.is_leaf() && root_.size() == 1) root_ = NodeRef<Order>(root_.inner().child[0]);
  }

  // Replaces the entry that compares equal; returns its position.
  std::size_t replace(Entry entry, NodePool<Order>& pool) noexcept {
    return TreeEdit<Order>(pool).replace(root_, std::move(entry));
  }

  // The same at a known position.
  void replace_at(std::size_t position, Entry entry, NodePool<Order>& pool) noexcept {
    TreeEdit<Order>(pool).replace_at(root_, position, std::move(entry));
  }

 private:
  static void nothing(const Leaf<Order>&) noexcept {}

  template <class Visit, class EnterLeaf = void (*)(const Leaf<Order>&) noexcept>
  static void for_each_below(const NodeRef<Order>& node, const Visit& visit, const EnterLeaf& enter = nothing) {
    if (node.is_leaf()) {
      enter(node.leaf());
      for (std::size_t i = 0; i < node.size(); ++i) visit(node.leaf().entries[i]);
    } else {
      for (std::size_t i = 0; i < node.size(); ++i) for_each_below(node.inner().child[i], visit, enter);
    }
  }

  NodeRef<Order> root_;
  std::size_t size_ = 0;
};

}  // namespace ksr::store

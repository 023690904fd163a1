// `NodeRef`, `Leaf`, `Inner` and `NodePool` are the nodes of an OrderedSet: counted, shared between the versions of a
// set, and changed in place only while they have one reference; used by OrderedSet and TreeEdit. Shared nodes may be
// read on any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "store/block_recycler.hpp"

namespace ksr::store {

inline constexpr std::size_t kFanOut = 16;

struct Node {
  explicit Node(std::uint16_t node_level) noexcept : level(node_level) {}

  static void* operator new(std::size_t size) { return BlockRecycler::shared().allocate(size, size).memory; }
  static void operator delete(void* memory, std::size_t size) noexcept {
    BlockRecycler::shared().release(memory, size);
  }

  std::atomic<std::uint32_t> references{1};
  std::uint16_t size = 0;
  std::uint16_t level;  // 0: a leaf
};

template <class Order>
struct Leaf;
template <class Order>
struct Inner;

// A counted reference to a node; empty by default.
template <class Order>
class NodeRef {
 public:
  NodeRef() noexcept = default;
  explicit NodeRef(std::unique_ptr<Leaf<Order>> leaf) noexcept : node_(leaf.release()) {}
  explicit NodeRef(std::unique_ptr<Inner<Order>> inner) noexcept : node_(inner.release()) {}
  NodeRef(const NodeRef& other) noexcept : node_(other.node_) {
    if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  NodeRef(NodeRef&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodeRef& operator=(NodeRef other) noexcept {
    swap(other);
    return *this;
  }
  ~NodeRef() {
    if (node_ != nullptr && node_->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

  void swap(NodeRef& other) noexcept { std::swap(node_, other.node_); }
  explicit operator bool() const noexcept { return node_ != nullptr; }
  // A node without another reference cannot get one meanwhile: only a holder of a reference can copy it.
  bool unique() const noexcept { return node_->references.load(std::memory_order_acquire) == 1; }
  const Node* get() const noexcept { return node_; }
  bool is_leaf() const noexcept { return node_->level == 0; }
  std::size_t level() const noexcept { return node_->level; }
  std::size_t size() const noexcept { return node_->size; }
  Leaf<Order>& leaf() const noexcept { return static_cast<Leaf<Order>&>(*node_); }
  Inner<Order>& inner() const noexcept { return static_cast<Inner<Order>&>(*node_); }

 private:
  void destroy() noexcept;

  Node* node_ = nullptr;
};

template <class Order>
struct Leaf : Node {
  Leaf() noexcept : Node(0) {}

  typename Order::Entry entries[Order::kLeafCapacity] = {};
};

template <class Order>
struct Inner : Node {
  Inner() noexcept : Node(1) {}

  // The first key below each child, always one that is there, so that no key has to be held for its own sake.
  typename Order::Key first[kFanOut];
  NodeRef<Order> child[kFanOut];
  std::size_t count[kFanOut];  // entries below each child
};

// The misses of the cache lines to be counted up or down then overlap instead of adding up.
template <class Order>
void prefetch_below(const NodeRef<Order>& node) noexcept {
  if (node.is_leaf()) {
    for (std::size_t i = 0; i < node.size(); ++i) Order::prefetch(node.leaf().entries[i]);
  } else {
    for (std::size_t i = 0; i < node.size(); ++i) __builtin_prefetch(node.inner().child[i].get(), 1);
  }
}

// All of a node that is about to be searched: its cache lines then come at the same time, not one after the other.
template <class Order>
void prefetch_all(const NodeRef<Order>& node) noexcept {
  constexpr std::size_t size = std::max(sizeof(Leaf<Order>), sizeof(Inner<Order>));
  const char* const begin = reinterpret_cast<const char*>(node.get());
  for (std::size_t at = 0; at < size; at += 64) __builtin_prefetch(begin + at);
}

template <class Order>
void NodeRef<Order>::destroy() noexcept {
  prefetch_below(*this);
  if (is_leaf()) {
    delete &leaf();
  } else {
    delete &inner();
  }
}

// Nodes allocated ahead of a change, so that the change itself cannot fail. Lives with the set's only writer.
template <class Order>
class NodePool {
 public:
  // Throws std::bad_alloc.
  void reserve(std::size_t leaves, std::size_t inners) {
    fill(leaves_, leaves);
    fill(inners_, inners);
  }

  NodeRef<Order> leaf() noexcept { return NodeRef<Order>(take(leaves_)); }
  NodeRef<Order> inner(std::size_t level) noexcept {
    NodeRef<Order> node(take(inners_));
    node.inner().level = static_cast<std::uint16_t>(level);
    return node;
  }

 private:
  template <class T>
  static void fill(std::vector<std::unique_ptr<T>>& nodes, std::size_t wanted) {
    if (nodes.size() >= wanted) return;
    nodes.reserve(wanted);
    while (nodes.size() < wanted) nodes.push_back(std::make_unique<T>());
  }
  template <class T>
  static std::unique_ptr<T> take(std::vector<std::unique_ptr<T>>& nodes) noexcept {
    std::unique_ptr<T> node = std::move(nodes.back());
    nodes.pop_back();
    return node;
  }

  std::vector<std::unique_ptr<Leaf<Order>>> leaves_;
  std::vector<std::unique_ptr<Inner<Order>>> inners_;
};

}  // namespace ksr::store

#include <doctest/doctest.h>

#include <iterator>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "store/ordered_set.hpp"

namespace ksr::store::test {
namespace {

// Small leaves, so that a few thousand numbers make a deep tree.
struct Numbers {
  static constexpr std::size_t kLeafCapacity = 8;
  static constexpr bool kScanLeaf = false;
  using Entry = int;
  using Key = int;
  using Probe = int;
  static Key key(Entry entry) noexcept { return entry; }
  static Probe probe(Key key) noexcept { return key; }
  static int compare(Key key, Probe probe) noexcept { return key < probe ? -1 : (key > probe ? 1 : 0); }
  static void prefetch(Entry) noexcept {}
};

struct Writer {
  OrderedSet<Numbers> set;
  NodePool<Numbers> pool;

  void reserve() {
    const NodeBudget budget = set.budget(1);
    pool.reserve(budget.leaves, budget.inners);
  }
  void insert(int n) {
    reserve();
    set.insert(n, pool);
  }
  void erase(int n) {
    reserve();
    set.erase(n, pool);
  }
};

std::size_t leaves_below(const NodeRef<Numbers>& node) {
  if (node.is_leaf()) return 1;
  std::size_t leaves = 0;
  for (std::size_t i = 0; i < node.size(); ++i) leaves += leaves_below(node.inner().child[i]);
  return leaves;
}

// What every node must keep true for the look-ups to be right.
bool sound(const NodeRef<Numbers>& node) {
  if (node.is_leaf()) return node.size() > 0;
  const Inner<Numbers>& inner = node.inner();
  if (inner.size == 0) return false;
  for (std::size_t i = 0; i < inner.size; ++i) {
    const NodeRef<Numbers>& child = inner.child[i];
    if (child.level() + 1 != inner.level || !sound(child)) return false;
    if (inner.first[i] != first_key(child) || inner.count[i] != entries_below(child)) return false;
  }
  return true;
}

std::vector<int> numbers_in(const OrderedSet<Numbers>& set) {
  std::vector<int> numbers;
  set.for_each([&](int n) { numbers.push_back(n); });
  return numbers;
}

TEST_CASE("a set stays what its model is, and every copy what it was") {
  std::mt19937 random(7);
  Writer writer;
  std::set<int> model;
  std::vector<std::pair<OrderedSet<Numbers>, std::vector<int>>> copies;
  for (int step = 0; step < 30000; ++step) {
    // Grows, then shrinks to nothing, several times.
    const bool growing = step % 10000 < 6000;
    const int n = static_cast<int>(random() % 4000);
    const bool there = model.count(n) != 0;
    REQUIRE((writer.set.find(n) != nullptr) == there);
    if (!there && growing) {
      writer.insert(n);
      model.insert(n);
    } else if (!growing && !model.empty()) {
      auto victim = model.lower_bound(n);
      if (victim == model.end()) victim = model.begin();
      writer.erase(*victim);
      model.erase(victim);
    }
    REQUIRE(writer.set.size() == model.size());
    if (step % 250 == 0) {
      REQUIRE((model.empty() || sound(writer.set.root())));
      copies.emplace_back(writer.set, std::vector<int>(model.begin(), model.end()));
      if (copies.size() > 20) copies.erase(copies.begin() + static_cast<std::ptrdiff_t>(random() % 20));
    }
  }
  for (const auto& [set, expected] : copies) {
    REQUIRE(numbers_in(set) == expected);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      REQUIRE(*set.at(i) == expected[i]);
      REQUIRE(set.rank(expected[i]) == i);
      REQUIRE(set.rank(expected[i] + 1) == i + 1);
    }
    CHECK(set.at(expected.size()) == nullptr);
  }
}

TEST_CASE("insertions in order leave full nodes, from either end") {
  for (const int step : {1, -1}) {
    Writer writer;
    for (int n = 0; n < 4000; ++n) writer.insert(n * step);
    CHECK(sound(writer.set.root()));
    CHECK(leaves_below(writer.set.root()) <= 4000 / Numbers::kLeafCapacity + 1);
  }
}

TEST_CASE("nodes stay filled by a third however much is erased") {
  Writer writer;
  for (int n = 0; n < 8000; ++n) writer.insert(n);
  for (int n = 0; n < 8000; ++n) {
    if (n % 20 != 0) writer.erase(n);
  }
  CHECK(sound(writer.set.root()));
  CHECK(writer.set.size() == 400);
  CHECK(leaves_below(writer.set.root()) * Numbers::kLeafCapacity / 3 <= 400);
}

TEST_CASE("a change copies only the nodes on its path") {
  Writer writer;
  for (int n = 0; n < 4000; ++n) writer.insert(n);
  const OrderedSet<Numbers> before = writer.set;
  writer.erase(2000);
  const Inner<Numbers>& old_root = before.root().inner();
  const Inner<Numbers>& new_root = writer.set.root().inner();
  REQUIRE(old_root.size == new_root.size);
  int copied = 0;
  for (std::size_t i = 0; i < old_root.size; ++i) {
    if (old_root.child[i].get() != new_root.child[i].get()) ++copied;
  }
  CHECK(copied == 1);
  const Node* const root = writer.set.root().get();
  writer.insert(2000);
  CHECK(writer.set.root().get() == root);
}

TEST_CASE("an entry is found near its old position after insertions and erasures before it, or not at all") {
  Writer writer;
  const auto find = [&](std::size_t position, int n) {
    return writer.set.find_near(position, [n](int entry) { return entry == n; });
  };
  CHECK(find(0, 7).entry == nullptr);
  for (int n = 0; n < 4000; ++n) writer.insert(n);
  for (int n = 0; n < 4000; ++n) {
    const auto found = find(static_cast<std::size_t>(n), n);
    REQUIRE(found.entry != nullptr);
    REQUIRE(*found.entry == n);
    REQUIRE(found.position == static_cast<std::size_t>(n));
  }
  writer.erase(1000);
  int near = 0;
  for (int n = 1001; n < 4000; ++n) {
    const auto found = find(static_cast<std::size_t>(n), n);
    if (found.entry == nullptr) continue;
    ++near;
    REQUIRE(*found.entry == n);
    REQUIRE(found.position == static_cast<std::size_t>(n - 1));
  }
  CHECK(near > 2000);
  CHECK(find(10, 3000).entry == nullptr);
  CHECK(find(1'000'000, 3999).position == 3998);
  CHECK(find(1000, 1000).entry == nullptr);
}

TEST_CASE("replace returns the position, at which replace_at replaces again; copies stay what they were") {
  Writer writer;
  for (int n = 0; n < 4000; ++n) writer.insert(2 * n);
  const OrderedSet<Numbers> before = writer.set;
  std::mt19937 random(7);
  for (int step = 0; step < 2000; ++step) {
    const auto at = static_cast<std::size_t>(random() % 4000);
    writer.reserve();
    REQUIRE(writer.set.replace(static_cast<int>(2 * at), writer.pool) == at);
    writer.reserve();
    writer.set.replace_at(at, static_cast<int>(2 * at + 1), writer.pool);
    REQUIRE(*writer.set.at(at) == static_cast<int>(2 * at + 1));
    REQUIRE(*before.at(at) == static_cast<int>(2 * at));
    writer.reserve();
    writer.set.replace_at(at, static_cast<int>(2 * at), writer.pool);
  }
  CHECK(sound(writer.set.root()));
  CHECK(numbers_in(writer.set) == numbers_in(before));
}

}  // namespace
}  // namespace ksr::store::test

// The orders in which objects are kept (ordered_set.hpp says what an order is); used by Index and Changes. Any thread.
//
// Only ByUid and Notes hold references to their objects: the other orders of a state have the same objects as its ByUid
// order, so copying their nodes touches no object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "store/object.hpp"

namespace ksr::store {

inline int order_of(std::uint64_t a, std::uint64_t b) noexcept {
  return a < b ? -1 : (a > b ? 1 : 0);
}

struct UidProbe {
  std::uint64_t hash;
  std::string_view uid;
  static UidProbe of(std::string_view uid) noexcept { return {hash_of(uid), uid}; }
  static UidProbe of(const Object& object) noexcept { return {object.uid_hash(), object.uid()}; }
};

// By the uid's hash first, so that most comparisons need not touch the objects.
struct ByUid {
  static constexpr std::size_t kLeafCapacity = 24;
  static constexpr bool kScanLeaf = false;
  struct Entry {
    std::uint64_t hash = 0;
    ObjectRef object;
  };
  struct Key {
    std::uint64_t hash;
    const Object* object;
  };
  using Probe = UidProbe;

  static Entry entry(const Object& object) noexcept { return {object.uid_hash(), ObjectRef(&object)}; }
  static Key key(const Entry& entry) noexcept { return {entry.hash, entry.object.get()}; }
  static Probe probe(const Key& key) noexcept { return {key.hash, key.object->uid()}; }
  static int compare(const Key& key, const Probe& probe) noexcept {
    if (key.hash != probe.hash) return order_of(key.hash, probe.hash);
    return key.object->uid().compare(probe.uid);
  }
  static void prefetch(const Entry& entry) noexcept { __builtin_prefetch(entry.object.get(), 1); }
};

struct NameProbe {
  std::uint64_t hash;
  std::string_view name_space;
  std::string_view name;
  static NameProbe of(std::string_view name_space, std::string_view name) noexcept {
    return {hash_of(name) ^ (hash_of(name_space) << 1), name_space, name};
  }
  static NameProbe of(const Object& object) noexcept { return of(object.name_space(), object.name()); }
};

inline int compare_names(const Object& object, std::string_view name_space, std::string_view name) noexcept {
  const int by_name_space = object.name_space().compare(name_space);
  return by_name_space != 0 ? by_name_space : object.name().compare(name);
}

inline int compare_names(const Object& a, const Object& b) noexcept {
  return a.name_key().compare(b.name_key());
}

inline bool same_name(const Object& a, const Object& b) noexcept {
  return a.name_key() == b.name_key();
}

// The hash is not part of the order: it saves reading every object of a leaf to find one.
struct ByName {
  static constexpr std::size_t kLeafCapacity = 48;
  static constexpr bool kScanLeaf = true;
  struct Key {
    std::uint64_t hash;
    const Object* object;
  };
  using Entry = Key;
  using Probe = NameProbe;

  static Entry entry(const Object& object) noexcept { return {Probe::of(object).hash, &object}; }
  static Key key(const Entry& entry) noexcept { return entry; }
  static Probe probe(const Key& key) noexcept { return {key.hash, key.object->name_space(), key.object->name()}; }
  static int compare(const Key& key, const Probe& probe) noexcept {
    return compare_names(*key.object, probe.name_space, probe.name);
  }
  static bool is(const Key& key, const Probe& probe) noexcept {
    return key.hash == probe.hash && compare(key, probe) == 0;
  }
  static void prefetch(const Entry&) noexcept {}
};

struct RecencyProbe {
  std::int64_t time;
  const Object* object;
  static RecencyProbe of(const Object& object) noexcept { return {object.recency_time(), &object}; }
};

// Most recent first; of the same time the newest resourceVersion first (longer, then greater bytes: as numbers for
// digit strings, and a total order for anything else), unless it moves on by what is no change for the host, which then
// must not change the order; then by uid.
struct ByRecency {
  static constexpr std::size_t kLeafCapacity = 32;
  static constexpr bool kScanLeaf = true;
  using Key = RecencyProbe;
  using Entry = Key;
  using Probe = RecencyProbe;

  static Entry entry(const Object& object) noexcept { return Probe::of(object); }
  static Key key(const Entry& entry) noexcept { return entry; }
  static Probe probe(const Key& key) noexcept { return key; }
  static int compare(const Key& key, const Probe& probe) noexcept {
    if (key.time != probe.time) return key.time > probe.time ? -1 : 1;
    if (key.object == probe.object) return 0;
    const std::string_view a = told_version(*key.object);
    const std::string_view b = told_version(*probe.object);
    if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
    const int by_version = b.compare(a);
    return by_version != 0 ? by_version : key.object->uid().compare(probe.object->uid());
  }
  static std::string_view told_version(const Object& object) noexcept {
    return object.sameness() == json::Sameness::version ? object.resource_version() : std::string_view();
  }
  static bool is(const Key& key, const Probe& probe) noexcept { return key.object == probe.object; }
  static void prefetch(const Entry&) noexcept {}
};

// A value by which an index finds objects. Of a bound the object does not matter: it stands before or after all objects
// with that value.
struct ValueProbe {
  enum class Bound : std::uint8_t { before, none, after };
  std::uint32_t hash;
  std::string_view value;
  const Object* object;
  std::uint32_t number;
  Bound bound;

  static std::uint32_t hash_of_value(std::string_view value) noexcept {
    const std::uint64_t hash = hash_of(value);
    return static_cast<std::uint32_t>(hash ^ hash >> 32);
  }
};

// By value, then in the order of the views: by name, or by recency. The hash comes first, so that most comparisons of
// values need not touch the objects.
struct ByValue {
  static constexpr std::size_t kLeafCapacity = 48;
  static constexpr bool kScanLeaf = false;
  static constexpr std::uint32_t kByRecency = std::uint32_t{1} << 31;
  struct Key {
    const Object* object;
    std::uint32_t hash;
    std::uint32_t number;  // of the value within its object; kByRecency is set in all keys of a set, or in none
  };
  using Entry = Key;
  using Probe = ValueProbe;

  static Entry entry(const Object& object, std::size_t number, bool by_recency) noexcept {
    return {&object, Probe::hash_of_value(object.value(number)),
            static_cast<std::uint32_t>(number) | (by_recency ? kByRecency : 0)};
  }
  static std::string_view value(const Key& key) noexcept { return key.object->value(key.number & ~kByRecency); }
  static Key key(const Entry& entry) noexcept { return entry; }
  static Probe probe(const Key& key) noexcept {
    return {key.hash, value(key), key.object, key.number, Probe::Bound::none};
  }
  static int compare(const Key& key, const Probe& probe) noexcept {
    if (key.hash != probe.hash) return order_of(key.hash, probe.hash);
    if (probe.bound == Probe::Bound::none && key.object == probe.object && key.number == probe.number) return 0;
    const int by_value = value(key).compare(probe.value);
    if (by_value != 0) return by_value;
    if (probe.bound != Probe::Bound::none) return probe.bound == Probe::Bound::before ? 1 : -1;
    if ((key.number & kByRecency) != 0) {
      return ByRecency::compare(RecencyProbe::of(*key.object), RecencyProbe::of(*probe.object));
    }
    return compare_names(*key.object, *probe.object);
  }
  static void prefetch(const Entry&) noexcept {}
};

// Of one uid: neither is there, or both are and have one version, one text and the same columns; or they differ in what
// is no change for the host alone (json::Sameness). An object that is missing in one list and there again in the next
// is the same state in a new Object. One version has two texts where a server was restored from a backup.
inline bool same_state(const Object* a, const Object* b) noexcept {
  if (a == nullptr || b == nullptr || a == b) return a == b;
  return a->is_same_but_for_version(*b);
}

// What one uid was in the earlier view, and what it is in the later one; not there: empty, never both. `last`: its
// newest state, where it is not there any more and has had others since the earlier view.
struct Notes {
  static constexpr std::size_t kLeafCapacity = 16;
  static constexpr bool kScanLeaf = false;
  struct Entry {
    std::uint64_t hash = 0;
    ObjectRef before;
    ObjectRef after;
    ObjectRef last;
  };
  using Key = ByUid::Key;
  using Probe = UidProbe;

  static Key key(const Entry& entry) noexcept {
    return {entry.hash, entry.before ? entry.before.get() : entry.after.get()};
  }
  static Probe probe(const Key& key) noexcept { return ByUid::probe(key); }
  static int compare(const Key& key, const Probe& probe) noexcept { return ByUid::compare(key, probe); }
  // For their counts.
  static void prefetch(const Entry& entry) noexcept {
    __builtin_prefetch(entry.before.get(), 1);
    __builtin_prefetch(entry.after.get(), 1);
  }
  static void prefetch_keys(const Entry& entry) noexcept {
    if (entry.before) entry.before->prefetch();
    if (entry.after) entry.after->prefetch();
  }
};

}  // namespace ksr::store

// `Object` is one stored object: one allocation with its JSON text, its key fields and its columns, each
// NUL-terminated; used by every part of store and handed to the host as ksr_object. Immutable except for hints, with an
// atomic reference count: any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "json/item.hpp"
#include "store/timestamp.hpp"

namespace ksr::store {

enum class Field { json, uid, name_space, name, resource_version, kind, api_version, creation_timestamp };

std::uint64_t hash_of(std::string_view text) noexcept;

// Every string is NUL-terminated in place. Created with one reference, destroyed with the last one.
class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  std::string_view field(Field field) const noexcept;
  std::string_view recency() const noexcept { return key(kRecency); }
  // recency() as a point in time (see timestamp.hpp); one that cannot be read is the oldest. Parsed with each call: the
  // entries of ByRecency keep it.
  std::int64_t recency_time() const noexcept { return parse_timestamp(recency()); }
  std::uint64_t uid_hash() const noexcept { return uid_hash_; }
  std::size_t json_size() const noexcept { return static_cast<std::size_t>(json_size_); }
  // As of the item that it was made of.
  std::size_t kept_size() const noexcept;

  std::string_view uid() const noexcept { return key(kUid); }
  std::string_view name_space() const noexcept { return key(kNameSpace); }
  std::string_view name() const noexcept { return key(kName); }
  std::string_view resource_version() const noexcept { return key(kResourceVersion); }
  std::string_view creation_timestamp() const noexcept { return key(kCreationTimestamp); }
  // namespace and name, each with its NUL, which neither contains: of two objects the greater one is that whose
  // (namespace, name) is.
  std::string_view name_key() const noexcept { return {text(), end_of(kName)}; }
  // Brings the cache lines of the keys in: all at once, where reading one after the other would wait for each.
  void prefetch() const noexcept {
    const char* const begin = reinterpret_cast<const char*>(this);
    for (std::size_t at = 0; at < kPrefetched; at += kCacheLine) __builtin_prefetch(begin + at, 1);
  }

  // Its position by name when an index placed it last; a hint, only for the thread that writes the cache.
  std::size_t name_position() const noexcept { return name_position_; }
  void note_name_position(std::size_t position) const noexcept {
    name_position_ = static_cast<std::uint32_t>(position);
  }

  // The columns of the stream, see json::ItemColumns: how many there are, and the decoded text of one.
  std::size_t column_count() const noexcept { return has_columns_ ? columns().count : 0; }
  std::string_view column(std::size_t i) const noexcept;  // i below column_count()
  // The values by which index `i` finds the object are number begin to end - 1 of all its values.
  struct Values {
    std::size_t begin;
    std::size_t end;
  };
  Values values_of(std::size_t index) const noexcept;
  std::size_t value_count() const noexcept { return has_columns_ ? columns().values : 0; }
  std::string_view value(std::size_t number) const noexcept;  // number below value_count()
  // The position in its index, as name_position().
  std::size_t value_position(std::size_t number) const noexcept { return stored_value(number).position; }
  void note_value_position(std::size_t number, std::size_t position) const noexcept {
    stored_value(number).position = static_cast<std::uint32_t>(position);
  }
  json::Sameness sameness() const noexcept {
    return has_columns_ ? static_cast<json::Sameness>(columns().sameness) : json::Sameness::version;
  }
  // Whether this is no change for the host though the resourceVersion is another one (json::Sameness).
  bool is_same_but_for_version(const Object& other) const noexcept;

  void retain() const noexcept { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const noexcept {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy();
  }

 private:
  friend class ObjectRef;
  // What is compared most is nearest to the head.
  enum Key : std::size_t {
    kNameSpace,
    kName,
    kUid,
    kResourceVersion,
    kKind,
    kApiVersion,
    kCreationTimestamp,
    kRecency,
    kKeys
  };

  // What stands before the keys of an object that has columns, or whose sameness is not that of versions, or whose keys
  // are long. After it come where each column ends, where the values of each index end, the values, where the keys end
  // if they are long, and the texts of the columns, each with its NUL. Small, since there is one for each object, and
  // near to the head, since indexes compare values.
  struct Columns {
    std::uint32_t bytes;  // of all that
    std::uint32_t values : 31;
    std::uint32_t ordered_by_recency : 1;
    std::uint32_t version_begin;
    std::uint32_t version_size : 10;  // 0: where it stands is not known
    std::uint32_t count : 10;
    std::uint32_t indexes : 10;
    std::uint32_t sameness : 2;  // json::Sameness
  };
  static constexpr std::size_t kMaxVersionSize = (1u << 10) - 1;
  static constexpr std::size_t kMaxColumns = (1u << 10) - 1;
  // More than `bytes` has room for.
  static constexpr std::uint32_t kMaxValues = (1u << 31) - 1;
  struct StoredValue {
    std::uint32_t begin;  // within the texts of the columns
    std::uint32_t size;
    mutable std::uint32_t position;
  };

  // What the keys of most objects end within.
  static constexpr std::size_t kPrefetched = 192;
  static constexpr std::size_t kCacheLine = 64;
  static constexpr unsigned kJsonBits = 47;
  static constexpr std::uint64_t kMaxJson = (std::uint64_t{1} << kJsonBits) - 1;
  static constexpr unsigned kSlackBits = 62 - kJsonBits;
  static constexpr std::uint64_t kMaxSlack = (std::uint64_t{1} << kSlackBits) - 1;
  using KeyEnds = std::array<std::uint32_t, kKeys>;

  Object(const json::Item& item, const KeyEnds& ends, const Object* before, std::size_t slack) noexcept;
  ~Object() = default;
  static KeyEnds key_ends(const json::Item& item);
  static std::size_t bytes_for(const json::Item& item, const KeyEnds& ends);
  // 0: nothing is stored of them.
  static std::size_t column_bytes_for(const json::ItemColumns* columns, bool long_keys);
  void write(const json::Item& item, const KeyEnds& ends) noexcept;
  char* write_columns(const json::ItemColumns& columns, const KeyEnds& ends) noexcept;
  void destroy() const noexcept;
  std::size_t size() const noexcept {
    return static_cast<std::size_t>(text() - reinterpret_cast<const char*>(this)) + end_of(kRecency) + json_size() + 1;
  }
  const Columns& columns() const noexcept { return *reinterpret_cast<const Columns*>(this + 1); }
  const std::uint32_t* column_ends() const noexcept { return reinterpret_cast<const std::uint32_t*>(&columns() + 1); }
  const StoredValue& stored_value(std::size_t number) const noexcept {
    const std::uint32_t* const ends = column_ends() + columns().count + columns().indexes;
    return reinterpret_cast<const StoredValue*>(ends)[number];
  }
  const std::uint32_t* long_key_ends() const noexcept {
    return reinterpret_cast<const std::uint32_t*>(&stored_value(0) + columns().values);
  }
  const char* column_text() const noexcept {
    return reinterpret_cast<const char*>(long_key_ends() + (long_keys_ ? std::size_t{kKeys} : 0));
  }
  std::string_view text_around_version(bool after) const noexcept;
  bool has_same_columns(const Object& other) const noexcept;
  bool has_same_values(const Object& other) const noexcept;
  // The keys, and after them the JSON.
  const char* text() const noexcept {
    return reinterpret_cast<const char*>(this + 1) + (has_columns_ ? columns().bytes : 0);
  }
  // Where a key ends, after its NUL; each begins where the one before ends. An empty recency means the creation
  // timestamp.
  std::uint32_t end_of(std::size_t key) const noexcept { return long_keys_ ? long_key_ends()[key] : ends_[key]; }
  std::string_view key(Key key) const noexcept {
    if (key == kRecency && end_of(kRecency) == end_of(kCreationTimestamp)) key = kCreationTimestamp;
    const std::uint32_t begin = key == kNameSpace ? 0 : end_of(key - 1);
    return {text() + begin, end_of(key) - begin - 1};
  }

  mutable std::atomic<std::uint32_t> references_{1};
  mutable std::uint32_t name_position_ = 0;
  std::uint64_t json_size_ : kJsonBits;
  // Unused bytes of its memory after its end.
  std::uint64_t slack_ : kSlackBits;
  std::uint64_t has_columns_ : 1;
  // Some key ends beyond what ends_ holds: as much as no Kubernetes API allows, but a server may send it.
  std::uint64_t long_keys_ : 1;
  std::uint64_t uid_hash_;
  std::array<std::uint16_t, kKeys> ends_;
};

// A counted reference; empty by default. Throws std::bad_alloc from create() only.
class ObjectRef {
 public:
  // `before`: an earlier state of the same uid, or nullptr. What it has worked out already is taken from it.
  static ObjectRef create(const json::Item& item, const Object* before = nullptr);

  ObjectRef() noexcept = default;
  // Another reference to an object that has one; nullptr gives an empty one.
  explicit ObjectRef(const Object* object) noexcept : object_(object) {
    if (object_ != nullptr) object_->retain();
  }
  ObjectRef(const ObjectRef& other) noexcept : ObjectRef(other.object_) {}
  ObjectRef(ObjectRef&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  ObjectRef& operator=(const ObjectRef& other) noexcept {
    ObjectRef(other).swap(*this);
    return *this;
  }
  ObjectRef& operator=(ObjectRef&& other) noexcept {
    ObjectRef(std::move(other)).swap(*this);
    return *this;
  }
  ~ObjectRef() {
    if (object_ != nullptr) object_->release();
  }

  const Object* get() const noexcept { return object_; }
  const Object* operator->() const noexcept { return object_; }
  const Object& operator*() const noexcept { return *object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  void swap(ObjectRef& other) noexcept { std::swap(object_, other.object_); }

 private:
  const Object* object_ = nullptr;
};

}  // namespace ksr::store

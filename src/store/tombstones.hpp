// `Tombstones` records the uids that were deleted last, and when: a late event must not restore one of them; used by
// Cache. Guarded by the mutex of its cache's owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::store {

// Bounded: beyond kCapacity the oldest are dropped.
class Tombstones {
 public:
  static constexpr std::size_t kCapacity = 1024;

  class Tombstone {
   public:
    Tombstone(std::string_view uid, std::string_view resource_version);
    std::uint64_t hash() const noexcept { return hash_; }
    std::string_view uid() const noexcept { return std::string_view(text_).substr(0, uid_size_); }
    std::string_view resource_version() const noexcept { return std::string_view(text_).substr(uid_size_); }

   private:
    std::uint64_t hash_;
    std::size_t uid_size_;
    std::string text_;
  };

  std::optional<std::string_view> deleted_at(std::string_view uid) const noexcept;
  // What put() will need. Throws std::bad_alloc.
  Tombstone prepare(std::string_view uid, std::string_view resource_version);
  // A later deletion of the same uid replaces the earlier one, never the other way round.
  void put(Tombstone tombstone) noexcept;
  // Without deletions that a list of this version reflects. Throws std::bad_alloc.
  Tombstones after(std::string_view list_version) const;

 private:
  std::size_t position(std::uint64_t hash, std::string_view uid) const noexcept;

  std::vector<std::uint64_t> hashes_;  // of tombstones_ at the same index, for a fast search
  std::vector<Tombstone> tombstones_;
  std::size_t oldest_ = 0;
};

}  // namespace ksr::store

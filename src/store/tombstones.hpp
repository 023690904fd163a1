// The last uids that were deleted, and when: an event that comes late must not bring one of them back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ksr::store {

// Bounded: of more than kCapacity the oldest are forgotten. Lives with its cache.
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
  // A later deletion of the same uid takes the place of the earlier one, never the other way round.
  void put(Tombstone tombstone) noexcept;
  // Without what a list of this version knows to be deleted anyhow. Throws std::bad_alloc.
  Tombstones after(std::string_view list_version) const;

 private:
  std::size_t position(std::uint64_t hash, std::string_view uid) const noexcept;

  std::vector<std::uint64_t> hashes_;  // beside the stones, for a quick look through them
  std::vector<Tombstone> tombstones_;
  std::size_t oldest_ = 0;
};

}  // namespace ksr::store

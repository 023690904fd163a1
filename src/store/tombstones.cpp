#include "store/tombstones.hpp"

#include <algorithm>
#include <utility>

#include "base/resource_version.hpp"
#include "store/object.hpp"

namespace ksr::store {

Tombstones::Tombstone::Tombstone(std::string_view uid, std::string_view resource_version)
    : hash_(hash_of(uid)), uid_size_(uid.size()) {
  text_.reserve(uid.size() + resource_version.size());
  text_.append(uid).append(resource_version);
}

std::size_t Tombstones::position(std::uint64_t hash, std::string_view uid) const noexcept {
  std::size_t i = 0;
  while (i < hashes_.size() && (hashes_[i] != hash || tombstones_[i].uid() != uid)) ++i;
  return i;
}

std::optional<std::string_view> Tombstones::deleted_at(std::string_view uid) const noexcept {
  if (tombstones_.empty()) return std::nullopt;
  const std::size_t i = position(hash_of(uid), uid);
  if (i == tombstones_.size()) return std::nullopt;
  return tombstones_[i].resource_version();
}

Tombstones::Tombstone Tombstones::prepare(std::string_view uid, std::string_view resource_version) {
  Tombstone tombstone(uid, resource_version);
  const auto make_room = [](auto& items) {
    if (items.size() == items.capacity()) items.reserve(std::min(kCapacity, 2 * items.size() + 8));
  };
  if (tombstones_.size() < kCapacity) {
    make_room(hashes_);
    make_room(tombstones_);
  }
  return tombstone;
}

void Tombstones::put(Tombstone tombstone) noexcept {
  const std::size_t known = position(tombstone.hash(), tombstone.uid());
  if (known < tombstones_.size()) {
    const auto order = compare_resource_versions(tombstone.resource_version(), tombstones_[known].resource_version());
    if (order.value_or(1) > 0) tombstones_[known] = std::move(tombstone);
  } else if (tombstones_.size() < kCapacity) {
    hashes_.push_back(tombstone.hash());
    tombstones_.push_back(std::move(tombstone));
  } else {
    hashes_[oldest_] = tombstone.hash();
    tombstones_[oldest_] = std::move(tombstone);
    oldest_ = (oldest_ + 1) % kCapacity;
  }
}

Tombstones Tombstones::after(std::string_view list_version) const {
  Tombstones kept;
  for (std::size_t n = 0; n < tombstones_.size(); ++n) {
    const Tombstone& tombstone = tombstones_[(oldest_ + n) % tombstones_.size()];
    if (compare_resource_versions(tombstone.resource_version(), list_version).value_or(-1) <= 0) continue;
    kept.put(kept.prepare(tombstone.uid(), tombstone.resource_version()));
  }
  return kept;
}

}  // namespace ksr::store

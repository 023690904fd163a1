#include "store/tombstones.hpp"

#include <algorithm>
#include <utility>

#include "base/resource_version.hpp"
#include "store/object.hpp"

namespace ksr::store {

Tombstones::Stone::Stone(std::string_view uid, std::string_view resource_version)
    : hash_(hash_of(uid)), uid_size_(uid.size()) {
  text_.reserve(uid.size() + resource_version.size());
  text_.append(uid).append(resource_version);
}

std::size_t Tombstones::position(std::uint64_t hash, std::string_view uid) const noexcept {
  std::size_t i = 0;
  while (i < hashes_.size() && (hashes_[i] != hash || stones_[i].uid() != uid)) ++i;
  return i;
}

std::optional<std::string_view> Tombstones::deleted_at(std::string_view uid) const noexcept {
  if (stones_.empty()) return std::nullopt;
  const std::size_t i = position(hash_of(uid), uid);
  if (i == stones_.size()) return std::nullopt;
  return stones_[i].resource_version();
}

Tombstones::Stone Tombstones::prepare(std::string_view uid, std::string_view resource_version) {
  Stone stone(uid, resource_version);
  const auto make_room = [](auto& items) {
    if (items.size() == items.capacity()) items.reserve(std::min(kCapacity, 2 * items.size() + 8));
  };
  if (stones_.size() < kCapacity) {
    make_room(hashes_);
    make_room(stones_);
  }
  return stone;
}

void Tombstones::put(Stone stone) noexcept {
  const std::size_t known = position(stone.hash(), stone.uid());
  if (known < stones_.size()) {
    const auto order = compare_resource_versions(stone.resource_version(), stones_[known].resource_version());
    if (order.value_or(1) > 0) stones_[known] = std::move(stone);
  } else if (stones_.size() < kCapacity) {
    hashes_.push_back(stone.hash());
    stones_.push_back(std::move(stone));
  } else {
    hashes_[oldest_] = stone.hash();
    stones_[oldest_] = std::move(stone);
    oldest_ = (oldest_ + 1) % kCapacity;
  }
}

Tombstones Tombstones::after(std::string_view list_version) const {
  Tombstones kept;
  for (std::size_t n = 0; n < stones_.size(); ++n) {
    const Stone& stone = stones_[(oldest_ + n) % stones_.size()];
    if (compare_resource_versions(stone.resource_version(), list_version).value_or(-1) <= 0) continue;
    kept.put(kept.prepare(stone.uid(), stone.resource_version()));
  }
  return kept;
}

}  // namespace ksr::store

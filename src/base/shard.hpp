// `Shard` is one of N parts of a resource's objects, by the hash of their uids; used by cluster, which asks the server
// for it, and by sync, which leaves the others out. A value, for any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/expected.hpp"

namespace ksr {

class Shard {
 public:
  static constexpr std::uint64_t kMaxCount = 65536;

  // "I/N": the part I of N, from 0. Neither may have a sign, and N is 1 to kMaxCount.
  static Expected<Shard> parse(std::string_view text);

  // The API's hash of the uid (apimachinery, pkg/sharding/hash.go: 64-bit FNV-1a) falls into this part. Parts of one N
  // are disjoint and together hold every uid.
  bool holds(std::string_view uid) const noexcept;
  // As ListOptions.shardSelector has it (KEP-5866), spelled as the server repeats it in metadata.shardInfo.
  const std::string& selector() const noexcept { return selector_; }
  // "0/4"
  std::string text() const;

 private:
  Shard(std::uint64_t index, std::uint64_t count);

  std::uint64_t index_;
  std::uint64_t count_;
  std::uint64_t lower_;
  // Empty: 2^64, one past the last hash.
  std::optional<std::uint64_t> upper_;
  std::string selector_;
};

}  // namespace ksr

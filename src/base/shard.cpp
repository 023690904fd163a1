#include "base/shard.hpp"

#include "base/option_text.hpp"

namespace ksr {
namespace {

// The first hash of part `index`, or of the one before it the upper bound; empty: 2^64.
std::optional<std::uint64_t> bound(std::uint64_t index, std::uint64_t count) noexcept {
  if (index == count) return std::nullopt;
  // index * 2^64 / count, 32 bits of the quotient at a time; both are below 2^32.
  const std::uint64_t shifted = index << 32;
  const std::uint64_t high = shifted / count;
  const std::uint64_t low = ((shifted % count) << 32) / count;
  return (high << 32) + low;
}

// Servers take bounds of 16 digits, and 2^64 (apiserver, pkg/sharding/parser.go).
std::string in_hex(std::optional<std::uint64_t> value) {
  if (!value) return "0x10000000000000000";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "0x0000000000000000";
  for (std::size_t i = text.size(); i-- > 2; *value >>= 4) text[i] = kDigits[*value & 0xf];
  return text;
}

std::uint64_t fnv1a(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace

Shard::Shard(std::uint64_t index, std::uint64_t count)
    : index_(index),
      count_(count),
      lower_(*bound(index, count)),
      upper_(bound(index + 1, count)),
      selector_("shardRange(object.metadata.uid, '" + in_hex(lower_) + "', '" + in_hex(upper_) + "')") {}

Expected<Shard> Shard::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const Expected<std::uint64_t> index = parse_count(text.substr(0, slash));
    const Expected<std::uint64_t> count = parse_count(text.substr(slash + 1));
    if (index && count && *count <= kMaxCount && *index < *count) return Shard(*index, *count);
  }
  return expected("I/N, part I of N from 0, such as 0/4 for the first of four; N at most " + std::to_string(kMaxCount));
}

bool Shard::holds(std::string_view uid) const noexcept {
  const std::uint64_t hash = fnv1a(uid);
  return hash >= lower_ && (!upper_ || hash < *upper_);
}

std::string Shard::text() const {
  return std::to_string(index_) + "/" + std::to_string(count_);
}

}  // namespace ksr

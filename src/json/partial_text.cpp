#include "json/partial_text.hpp"

#include <algorithm>
#include <limits>

namespace ksr::json {
namespace {

// Most objects are smaller; memory for a larger one is freed after it.
constexpr std::size_t kOrdinarySize = std::size_t{256} * 1024;

}  // namespace

void PartialText::begin(std::uint64_t at) {
  release();
  wanted_ = true;
  begin_ = at;
  kept_to_ = at;
  end_ = std::numeric_limits<std::uint64_t>::max();
}

void PartialText::release() {
  wanted_ = false;
  kept_.clear();
  if (kept_.capacity() > kOrdinarySize) std::vector<char>().swap(kept_);
}

std::string_view PartialText::part_in(std::string_view buffer, std::uint64_t base) const noexcept {
  const std::uint64_t from = std::max(kept_to_, base);
  const std::uint64_t to = std::min(end_, base + buffer.size());
  if (from >= to) return {};
  return buffer.substr(static_cast<std::size_t>(from - base), static_cast<std::size_t>(to - from));
}

std::string_view PartialText::text(std::string_view buffer, std::uint64_t base) {
  if (kept_.empty()) return part_in(buffer, base).substr(0, max_size_);
  keep(buffer, base);
  return {kept_.data(), kept_.size()};
}

void PartialText::keep(std::string_view buffer, std::uint64_t base) {
  if (!wanted_) return;
  const std::string_view part = part_in(buffer, base);
  append(part);
  kept_to_ += part.size();
}

void PartialText::append(std::string_view part) {
  const std::size_t size = std::min(part.size(), max_size_ - kept_.size());
  const std::size_t needed = kept_.size() + size;
  if (needed > kept_.capacity()) {
    // Doubling, so that a text cut many times is copied twice at most, but never beyond the limit.
    kept_.reserve(std::max(needed, std::min(max_size_, 2 * kept_.capacity())));
  }
  kept_.insert(kept_.end(), part.data(), part.data() + size);
}

}  // namespace ksr::json

#include "protobuf/pieces.hpp"

#include <algorithm>

#include "protobuf/varint.hpp"

namespace ksr::protobuf {
namespace {

// Memory for larger parts is freed after them.
constexpr std::size_t kOrdinaryPart = std::size_t{256} << 10;

}  // namespace

void Pieces::advance(std::size_t size) noexcept {
  rest_.remove_prefix(size);
  offset_ += size;
}

void Pieces::forget() {
  kept_.clear();
  if (kept_.capacity() > kOrdinaryPart) std::vector<char>().swap(kept_);
}

Progress Pieces::take_varint(std::uint64_t& value) {
  if (!unfinished_) forget();
  const auto available = static_cast<std::size_t>(std::min<std::uint64_t>(rest_.size(), end_ - offset_));
  if (kept_.empty()) {
    const Varint varint = read_short_varint(rest_.data(), rest_.data() + available);
    if (varint.end != nullptr) {
      value = varint.value;
      advance(static_cast<std::size_t>(varint.end - rest_.data()));
      return Progress::done;
    }
  }
  for (std::size_t i = 0; i < available; ++i) {
    const char byte = rest_.front();
    advance(1);
    kept_.push_back(byte);
    const bool last = static_cast<unsigned char>(byte) < 0x80;
    if (!last && kept_.size() < kMaxVarintBytes) continue;
    unfinished_ = false;
    const Varint varint = read_varint(kept_.data(), kept_.data() + kept_.size());
    value = varint.value;
    return varint.end != nullptr ? Progress::done : Progress::malformed;
  }
  if (at_end()) return Progress::malformed;
  unfinished_ = !kept_.empty();
  return Progress::more;
}

Progress Pieces::take_head(FieldHead& head) {
  if (!tag_known_) {
    std::uint64_t tag = 0;
    if (const Progress progress = take_varint(tag); progress != Progress::done) return progress;
    if (tag > UINT32_MAX || tag >> 3 == 0) return Progress::malformed;
    tag_ = static_cast<std::uint32_t>(tag);
    tag_known_ = true;
  }
  head = {tag_ >> 3, static_cast<WireField::Type>(tag_ & 7U), 0};
  std::uint64_t value = 0;
  Progress progress = Progress::malformed;
  switch (head.type) {
    case WireField::Type::bytes:
      progress = take_varint(head.size);
      break;
    case WireField::Type::varint:
      progress = take_varint(value);
      break;
    case WireField::Type::fixed64:
    case WireField::Type::fixed32: {
      // Skipped like bytes, since none is looked at.
      head.size = head.type == WireField::Type::fixed64 ? 8 : 4;
      progress = Progress::done;
      break;
    }
  }
  if (progress == Progress::more) return progress;
  tag_known_ = false;
  if (progress == Progress::done && head.size > end_ - offset_) return Progress::malformed;
  return progress;
}

bool Pieces::take(std::size_t size, std::string_view& taken) {
  if (!unfinished_) forget();
  if (kept_.empty() && rest_.size() >= size) {
    taken = rest_.substr(0, size);
    advance(size);
    unfinished_ = false;
    return true;
  }
  const std::size_t more = std::min(rest_.size(), size - kept_.size());
  kept_.insert(kept_.end(), rest_.data(), rest_.data() + more);
  advance(more);
  unfinished_ = kept_.size() < size;
  taken = {kept_.data(), kept_.size()};
  return !unfinished_;
}

bool Pieces::skip(std::uint64_t& left) noexcept {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(rest_.size(), left));
  advance(size);
  left -= size;
  return left == 0;
}

bool Pieces::skip_to_end() noexcept {
  std::uint64_t left = end_ - offset_;
  return skip(left);
}

}  // namespace ksr::protobuf

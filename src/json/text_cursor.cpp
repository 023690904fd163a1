#include "json/text_cursor.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "json/block_masks.hpp"

namespace ksr::json {
namespace {

bool is_bracket(char c) noexcept {
  return c == '{' || c == '[' || c == '}' || c == ']';
}

// The next quote or bracket.
const char* find_structure(const char* p, const char* end) noexcept {
#ifdef KSR_JSON_SIMD
  while (end - p >= ByteVector::kSize) {
    const auto bytes = ByteVector::load(p);
    // '[' and ']' differ from '{' and '}' by 0x20 alone.
    const auto folded = ByteVector::either(bytes, ByteVector::all(0x20));
    const auto open = ByteVector::equal(folded, ByteVector::all('{'));
    const auto close = ByteVector::equal(folded, ByteVector::all('}'));
    const auto quote = ByteVector::equal(bytes, ByteVector::all('"'));
    const auto found = ByteVector::marks(ByteVector::either(ByteVector::either(open, close), quote));
    if (found != 0) return p + ByteVector::first(found);
    p += ByteVector::kSize;
  }
#endif
  while (p != end && *p != '"' && !is_bracket(*p)) ++p;
  return p;
}

}  // namespace

std::string_view TextCursor::take_value() {
  p_ = skip_space(p_, end_);
  if (p_ == end_) return {};
  const char* const begin = p_;
  bool whole = true;
  switch (*p_) {
    case '"':
      whole = skip_string();
      break;
    case '{':
    case '[':
      whole = skip_container();
      break;
    default:
      skip_scalar();
  }
  if (!whole) return {};
  return {begin, static_cast<std::size_t>(p_ - begin)};
}

bool TextCursor::skip_string() {
  ++p_;
  return skip_string_rest();
}

bool TextCursor::skip_string_rest() {
  for (;;) {
    p_ = find_special_in_string(p_, end_);
    if (p_ == end_) return false;
    const char c = *p_++;
    if (c == '"') return true;
    if (c != '\\') continue;
    if (p_ == end_) return false;
    ++p_;
  }
}

bool TextCursor::skip_container() {
  std::size_t depth = 0;
  const char* careful_to = p_;
  for (;;) {
    if (p_ >= careful_to) {
      if (skip_blocks(depth)) return true;
      careful_to = p_ + std::min(end_ - p_, std::ptrdiff_t{64});
    }
    p_ = find_structure(p_, end_);
    if (p_ == end_) return false;
    if (*p_ == '"') {
      if (!skip_string()) return false;
      continue;
    }
    const bool opens = *p_ == '{' || *p_ == '[';
    ++p_;
    if (opens) ++depth;
    if (!opens && --depth == 0) return true;
  }
}

// Whole blocks, as long as there is no escape in them.
bool TextCursor::skip_blocks(std::size_t& depth) {
#ifdef KSR_JSON_SIMD
  std::uint64_t in_string = 0;
  while (end_ - p_ >= 64) {
    const BlockMasks masks(p_);
    if (masks.backslash != 0) break;
    const std::uint64_t string = prefix_xor(masks.quote) ^ in_string;
    for (std::uint64_t rest = (masks.open | masks.close) & ~string; rest != 0; rest &= rest - 1) {
      const auto bit = static_cast<unsigned>(__builtin_ctzll(rest));
      depth += 2 * (masks.open >> bit & 1) - 1;
      if (depth != 0) continue;
      p_ += bit + 1;
      return true;
    }
    in_string = std::uint64_t{0} - (string >> 63);
    p_ += 64;
  }
  if (in_string != 0) skip_string_rest();
#endif
  static_cast<void>(depth);
  return false;
}

void TextCursor::skip_scalar() {
  while (p_ != end_ && *p_ != ',' && *p_ != ':' && !is_bracket(*p_) && !is_space(*p_)) ++p_;
}

}  // namespace ksr::json

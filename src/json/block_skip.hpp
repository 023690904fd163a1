// `skip_blocks` passes over JSON that is not read, 64 bytes a step: bit masks check the whole grammar instead of a loop
// over bytes; used by Scanner. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ksr::json {

// The position of a byte in the grammar.
enum class GrammarState : std::uint8_t {
  value,
  first_value,
  key,
  first_key,
  key_text,
  colon,
  string,
  number,
  literal,
  after
};

// A place in JSON text, inside the container that is to be skipped.
struct SkipPosition {
  const char* p = nullptr;
  GrammarState state = GrammarState::value;
  // In a string (string, key_text): the byte before was a backslash that escapes this one.
  bool in_escape = false;
  // The containers around it, from the one that is skipped (1) inwards.
  unsigned depth = 1;
  // One bit for each of them, the innermost lowest: set for an object.
  std::uint64_t containers = 0;
  // `p` stands on the bracket that ends the skipped container.
  bool at_end = false;
};

constexpr unsigned kMaxSkipDepth = 60;
constexpr std::ptrdiff_t kSkipBlock = 64;

// Goes on from `at`, which is in no number or literal, as far as the text is valid and plain: up to the bracket that
// ends the skipped container (depth is 1 then), or to where the text must be looked at more closely: an error, a \u
// escape, bytes that are not ASCII, more than `max_depth` (at most kMaxSkipDepth) levels, less than a block before
// `end`. Does nothing on machines without vector registers (simd.hpp).
void skip_blocks(SkipPosition& at, const char* end, unsigned max_depth) noexcept;

}  // namespace ksr::json

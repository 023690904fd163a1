// The loop of skip_blocks; used by block_skip.cpp and block_skip_avx2.cpp only, each of which compiles it for its
// instruction set. Everything in it, and all that it includes, is in a namespace of its own in each: the linker must
// never take an inline function of the one for the other's. Any thread.
#pragma once

#include "json/block_masks.hpp"
#include "json/block_skip.hpp"

namespace ksr::json {

// A number or literal at `p`, and a byte after it that ends it.
bool scalar_at(const char* p, const char* end) noexcept;

inline namespace KSR_JSON_ISA {

using Mask = std::uint64_t;

constexpr unsigned kNoBit = 64;

inline bool is_plain_escape(char c) noexcept {
  return c == '"' || c == '\\' || c == 'n' || c == '/' || c == 't' || c == 'r' || c == 'b' || c == 'f';
}

// The bits one place on: what stands there follows what `mask` marks. `carry` is bit 63 of the block before, `next`
// that of this one.
inline Mask shifted(Mask mask, Mask carry, Mask& next) noexcept {
  next = mask >> 63;
  return mask << 1 | carry;
}

// A mark on whitespace moves to the first byte after it; added to the run of ones it stands at the beginning of, it
// ripples through to there.
inline Mask after_space(Mask mask, Mask space, Mask& carry) noexcept {
  Mask moved = 0;
  if (__builtin_add_overflow(mask & space, space, &moved)) carry = 1;
  return (moved | mask) & ~space;
}

// The state between two blocks: what the next byte other than a space follows, a bit each (0 or 1). Without any, a
// value is due.
struct Carry {
  Mask in_string = 0;  // all ones, or 0
  Mask key_string = 0;
  Mask escape = 0;
  Mask scalar = 0;
  Mask open = 0;     // an opening bracket
  Mask key_due = 0;  // what a key must follow
  Mask key = 0;
  Mask value = 0;
};

// One run over consecutive blocks.
class BlockSkip {
 public:
  BlockSkip(const SkipPosition& at, const char* end, unsigned max_depth) noexcept;
  void run(SkipPosition& at) noexcept;

 private:
  // False: the block has to be looked at more closely; nothing is changed.
  bool take_block() noexcept;
  bool find_strings(const BlockMasks& masks) noexcept;
  bool follow_brackets() noexcept;
  bool follow_tokens() noexcept;
  bool give_up() noexcept {
    last_bit_ = kNoBit;
    return false;
  }
  bool check_escapes() const noexcept;
  bool check_scalars(Mask starts) noexcept;
  void describe(SkipPosition& at) const noexcept;

  const char* p_;
  const char* const end_;
  // The containers around, as in SkipPosition, below a one that marks where they begin; and that one at the most levels
  // allowed.
  Mask containers_;
  const Mask max_depth_mask_;
  Carry carry_;
  const char* scalar_begin_ = nullptr;

  // Of the block in hand.
  Mask string_ = 0;
  Mask quote_open_ = 0;
  Mask quote_close_ = 0;
  Mask escaped_ = 0;
  Mask next_escape_ = 0;
  Mask open_ = 0;
  Mask close_ = 0;
  Mask curly_ = 0;
  Mask comma_ = 0;
  Mask colon_ = 0;
  Mask space_ = 0;
  Mask in_object_ = 0;
  Mask next_containers_ = 0;
  // The bracket that ends the skipped container, and whether it follows its opening one.
  unsigned last_bit_ = kNoBit;
  bool last_is_empty_ = false;
};

[[gnu::always_inline]] inline BlockSkip::BlockSkip(const SkipPosition& at, const char* end, unsigned max_depth) noexcept
    : p_(at.p), end_(end), containers_(Mask{1} << at.depth | at.containers), max_depth_mask_(Mask{1} << max_depth) {
  switch (at.state) {
    case GrammarState::first_key:
      carry_.open = 1;
      [[fallthrough]];
    case GrammarState::key:
      carry_.key_due = 1;
      break;
    case GrammarState::first_value:
      carry_.open = 1;
      break;
    case GrammarState::colon:
      carry_.key = 1;
      break;
    case GrammarState::key_text:
      carry_.key_string = 1;
      [[fallthrough]];
    case GrammarState::string:
      carry_.in_string = ~Mask{0};
      carry_.escape = at.in_escape ? 1 : 0;
      break;
    case GrammarState::after:
      carry_.value = 1;
      break;
    case GrammarState::value:
    case GrammarState::number:
    case GrammarState::literal:
      break;
  }
}

[[gnu::always_inline]] inline void BlockSkip::run(SkipPosition& at) noexcept {
  while (end_ - p_ >= kSkipBlock && take_block()) {
    containers_ = next_containers_;
    if (last_bit_ != kNoBit) {
      const bool object = (containers_ & 1) != 0;
      at = {p_ + last_bit_, GrammarState::after, false, 1, containers_ & 1, true};
      if (last_is_empty_) at.state = object ? GrammarState::first_key : GrammarState::first_value;
      return;
    }
    p_ += kSkipBlock;
  }
  describe(at);
}

[[gnu::always_inline]] inline bool BlockSkip::take_block() noexcept {
  const BlockMasks masks(p_);
  if (!find_strings(masks)) return false;
  const Mask outside = ~string_;
  open_ = masks.open & outside;
  close_ = masks.close & outside;
  curly_ = masks.curly;
  comma_ = masks.comma & outside;
  colon_ = masks.colon & outside;
  space_ = masks.space & outside;
  if ((masks.low & outside) != 0) space_ |= control_space(p_) & outside;
  return follow_brackets() && follow_tokens();
}

[[gnu::always_inline]] inline bool BlockSkip::find_strings(const BlockMasks& masks) noexcept {
  escaped_ = carry_.escape;
  next_escape_ = 0;
  if (masks.backslash != 0) {
    constexpr Mask kEven = 0x5555555555555555;
    const Mask backslash = masks.backslash & ~carry_.escape;
    const Mask follows = backslash << 1 | carry_.escape;
    Mask sum = 0;
    next_escape_ = __builtin_add_overflow(backslash & ~kEven & ~follows, backslash, &sum) ? 1 : 0;
    escaped_ = (kEven ^ sum << 1) & follows;
  }
  const Mask quotes = masks.quote & ~escaped_;
  string_ = prefix_xor(quotes) ^ carry_.in_string;
  quote_open_ = quotes & string_;
  quote_close_ = quotes & ~string_;
  return (masks.low & string_) == 0;
}

// Pairs the brackets and marks which bytes lie directly in an object.
[[gnu::always_inline]] inline bool BlockSkip::follow_brackets() noexcept {
  Mask containers = containers_;
  Mask seen = containers;
  in_object_ = -(containers & 1);
  // "{}" and "[]", of which managedFields have many, change nothing around them.
  const Mask empty = open_ & close_ >> 1;
  if (((curly_ ^ curly_ >> 1) & empty) != 0) return false;
  for (Mask rest = (open_ | close_) & ~(empty | empty << 1); rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<unsigned>(__builtin_ctzll(rest));
    const Mask object = curly_ >> bit & 1;
    const Mask before = containers & 1;
    if ((open_ >> bit & 1) != 0) {
      if ((containers & max_depth_mask_) != 0) return false;
      containers = containers << 1 | object;
      seen |= containers;
    } else {
      if (before != object) return false;
      if (containers <= 3) {
        last_bit_ = bit;
        break;
      }
      containers >>= 1;
    }
    in_object_ ^= -((containers & 1) ^ before) << bit;
  }
  next_containers_ = containers;
  in_object_ = (in_object_ & ~empty) | (curly_ & empty);
  return empty == 0 || (seen & max_depth_mask_) == 0 || give_up();
}

// What may follow what (RFC 8259). Every byte outside strings and spaces follows exactly one other, so it is enough
// that a colon follows keys and only those; that a comma or closing bracket follows values and only those, but for a
// bracket after its opening one; and that where a key is due no other value stands.
[[gnu::always_inline]] inline bool BlockSkip::follow_tokens() noexcept {
  const Mask ends = comma_ | close_;
  const Mask scalar = ~(string_ | quote_close_ | open_ | ends | colon_ | space_);
  Carry next;
  Mask open = shifted(open_, carry_.open, next.open);
  Mask key_due = shifted((open_ | comma_) & in_object_, carry_.key_due, next.key_due);
  if (space_ != 0) {
    open = after_space(open, space_, next.open);
    key_due = after_space(key_due, space_, next.key_due);
  }

  // From where a key opens, a carry runs through its text to the quote that closes it.
  const Mask key_opens = (quote_open_ & key_due) | carry_.key_string;
  Mask ran = 0;
  next.key_string = __builtin_add_overflow(string_, key_opens, &ran) ? 1 : 0;
  const Mask key_closes = ran & quote_close_;

  Mask key = shifted(key_closes, carry_.key, next.key);
  const Mask scalar_or_after = shifted(scalar, carry_.scalar, next.scalar);
  Mask value = shifted((quote_close_ ^ key_closes) | close_, carry_.value, next.value) | (scalar_or_after & ~scalar);
  if (space_ != 0) {
    key = after_space(key, space_, next.key);
    value = after_space(value, space_, next.value);
  }

  const Mask wrong = (key ^ colon_) | ((value ^ ends) & ~(close_ & open)) | (key_due & (scalar | open_));
  const Mask looked_at = last_bit_ == kNoBit ? ~Mask{0} : ~Mask{0} >> (63 - last_bit_);
  if ((wrong & looked_at) != 0) return give_up();
  escaped_ &= looked_at;
  if (!check_escapes() || !check_scalars(scalar & ~scalar_or_after & looked_at)) return give_up();
  last_is_empty_ = last_bit_ != kNoBit && (open >> last_bit_ & 1) != 0;
  next.in_string = Mask{0} - (string_ >> 63);
  next.escape = next_escape_;
  carry_ = next;
  return true;
}

[[gnu::always_inline]] inline bool BlockSkip::check_escapes() const noexcept {
  for (Mask rest = escaped_; rest != 0; rest &= rest - 1) {
    if (!is_plain_escape(p_[__builtin_ctzll(rest)])) return false;
  }
  return true;
}

[[gnu::always_inline]] inline bool BlockSkip::check_scalars(Mask starts) noexcept {
  const char* last = scalar_begin_;
  for (; starts != 0; starts &= starts - 1) {
    last = p_ + __builtin_ctzll(starts);
    if (!scalar_at(last, end_)) return false;
  }
  scalar_begin_ = last;
  return true;
}

[[gnu::always_inline]] inline void BlockSkip::describe(SkipPosition& at) const noexcept {
  const auto depth = static_cast<unsigned>(63 - __builtin_clzll(containers_));
  at = {p_, GrammarState::value, carry_.escape != 0, depth, containers_ ^ Mask{1} << depth, false};
  if (carry_.in_string != 0) {
    at.state = carry_.key_string != 0 ? GrammarState::key_text : GrammarState::string;
  } else if (carry_.scalar != 0) {
    // Begun in an earlier block; the caller reads it again from its beginning.
    at.p = scalar_begin_;
  } else if (carry_.key_due != 0) {
    at.state = carry_.open != 0 ? GrammarState::first_key : GrammarState::key;
  } else if (carry_.open != 0) {
    at.state = GrammarState::first_value;
  } else if (carry_.key != 0) {
    at.state = GrammarState::colon;
  } else if (carry_.value != 0) {
    at.state = GrammarState::after;
  }
}

}  // namespace KSR_JSON_ISA
}  // namespace ksr::json

// The loop of skip_blocks; compiled once for each set of instructions, by block_skip.cpp and block_skip_avx2.cpp alone.
// Everything in it, and all it includes, has a name of its own in each: an inline function of the one must never stand
// in for the other's.
#pragma once

#include "json/block_masks.hpp"
#include "json/block_skip.hpp"

namespace ksr::json {

// A number or literal at `p`, and something behind it that ends it.
bool scalar_at(const char* p, const char* end) noexcept;

inline namespace KSR_JSON_ISA {

using Mask = std::uint64_t;

constexpr unsigned kNoBit = 64;

inline bool is_plain_escape(char c) noexcept {
  return c == '"' || c == '\\' || c == 'n' || c == '/' || c == 't' || c == 'r' || c == 'b' || c == 'f';
}

// The bits one place on: what stands there follows what `mask` marks. `carry` takes bit 63 over to the next block.
inline Mask shifted(Mask mask, Mask& carry) noexcept {
  const Mask out = mask << 1 | carry;
  carry = mask >> 63;
  return out;
}

// A mark on whitespace moves on to the first byte behind it; added to the run of ones it stands at the beginning of, it
// ripples through to there.
inline Mask behind_space(Mask mask, Mask space, Mask& carry) noexcept {
  Mask moved = 0;
  if (__builtin_add_overflow(mask & space, space, &moved)) carry = 1;
  return (moved | mask) & ~space;
}

// What one block hands on to the next.
struct Carry {
  Mask in_string = 0;  // all ones or none
  Mask key_string = 0;
  Mask escape = 0;
  Mask scalar = 0;
  // What the next byte that is no space follows: an opening bracket; what a key, or a value must follow; a key; a
  // value.
  Mask open = 0;
  Mask key_due = 0;
  Mask value_due = 0;
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
  const unsigned max_depth_;
  unsigned depth_;
  Mask containers_;
  Carry carry_;
  const char* scalar_begin_ = nullptr;

  // Of the block in hand.
  Mask string_ = 0;
  Mask quote_open_ = 0;
  Mask quote_close_ = 0;
  Mask escaped_ = 0;
  Mask open_ = 0;
  Mask close_ = 0;
  Mask curly_ = 0;
  Mask comma_ = 0;
  Mask colon_ = 0;
  Mask space_ = 0;
  Mask in_object_ = 0;
  unsigned next_depth_ = 0;
  Mask next_containers_ = 0;
  Carry next_;
  // The bracket that ends it all, and whether it follows its opening one.
  unsigned last_bit_ = kNoBit;
  bool last_is_empty_ = false;
};

[[gnu::always_inline]] inline BlockSkip::BlockSkip(const SkipPosition& at, const char* end, unsigned max_depth) noexcept
    : p_(at.p), end_(end), max_depth_(max_depth), depth_(at.depth), containers_(at.containers) {
  switch (at.state) {
    case State::first_key:
      carry_.open = 1;
      [[fallthrough]];
    case State::key:
      carry_.key_due = 1;
      break;
    case State::first_value:
      carry_.open = 1;
      [[fallthrough]];
    case State::value:
      carry_.value_due = 1;
      break;
    case State::colon:
      carry_.key = 1;
      break;
    case State::key_text:
      carry_.key_string = 1;
      [[fallthrough]];
    case State::string:
      carry_.in_string = ~Mask{0};
      carry_.escape = at.in_escape ? 1 : 0;
      break;
    case State::after:
      carry_.value = 1;
      break;
    case State::number:
    case State::literal:
      break;
  }
}

[[gnu::always_inline]] inline void BlockSkip::run(SkipPosition& at) noexcept {
  while (end_ - p_ >= kSkipBlock && take_block()) {
    depth_ = next_depth_;
    containers_ = next_containers_;
    if (last_bit_ != kNoBit) {
      at = {p_ + last_bit_, State::after, false, 1, containers_, true};
      if (last_is_empty_) at.state = (containers_ & 1) != 0 ? State::first_key : State::first_value;
      return;
    }
    carry_ = next_;
    p_ += kSkipBlock;
  }
  describe(at);
}

[[gnu::always_inline]] inline bool BlockSkip::take_block() noexcept {
  const BlockMasks masks(p_);
  next_ = Carry{};
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
  if (masks.backslash != 0) {
    constexpr Mask kEven = 0x5555555555555555;
    const Mask backslash = masks.backslash & ~carry_.escape;
    const Mask follows = backslash << 1 | carry_.escape;
    Mask sum = 0;
    next_.escape = __builtin_add_overflow(backslash & ~kEven & ~follows, backslash, &sum) ? 1 : 0;
    escaped_ = (kEven ^ sum << 1) & follows;
  }
  const Mask quotes = masks.quote & ~escaped_;
  string_ = prefix_xor(quotes) ^ carry_.in_string;
  quote_open_ = quotes & string_;
  quote_close_ = quotes & ~string_;
  next_.in_string = static_cast<Mask>(static_cast<std::int64_t>(string_) >> 63);
  return (masks.low & string_) == 0;
}

// Pairs the brackets and marks which bytes lie directly in an object.
[[gnu::always_inline]] inline bool BlockSkip::follow_brackets() noexcept {
  next_depth_ = depth_;
  next_containers_ = containers_;
  in_object_ = -(containers_ & 1);
  // "{}" and "[]": what managedFields are full of. They change nothing around them.
  const Mask empty = open_ & close_ >> 1;
  if (((curly_ ^ curly_ >> 1) & empty) != 0) return false;
  unsigned deepest = depth_;
  for (Mask rest = (open_ | close_) & ~(empty | empty << 1); rest != 0; rest &= rest - 1) {
    const auto bit = static_cast<unsigned>(__builtin_ctzll(rest));
    const Mask object = curly_ >> bit & 1;
    const Mask before = next_containers_ & 1;
    if ((open_ >> bit & 1) != 0) {
      if (next_depth_ == max_depth_) return false;
      ++next_depth_;
      deepest = deepest < next_depth_ ? next_depth_ : deepest;
      next_containers_ = next_containers_ << 1 | object;
    } else {
      if (before != object) return false;
      if (next_depth_ == 1) {
        last_bit_ = bit;
        break;
      }
      --next_depth_;
      next_containers_ >>= 1;
    }
    in_object_ ^= -((next_containers_ & 1) ^ before) << bit;
  }
  in_object_ = (in_object_ & ~empty) | (curly_ & empty);
  return empty == 0 || deepest < max_depth_ || give_up();
}

// What may follow what (RFC 8259). Every byte outside strings and spaces follows exactly one other, so that is all of
// it.
[[gnu::always_inline]] inline bool BlockSkip::follow_tokens() noexcept {
  const Mask outside = ~(string_ | quote_close_);
  const Mask scalar = outside & ~(open_ | close_ | comma_ | colon_ | space_);
  const Mask begins = open_ | comma_;
  next_.open = carry_.open;
  next_.key_due = carry_.key_due;
  next_.value_due = carry_.value_due;
  next_.key = carry_.key;
  next_.value = carry_.value;

  Mask open = shifted(open_, next_.open);
  Mask key_due = shifted(begins & in_object_, next_.key_due);
  Mask value_due = shifted(colon_ | (begins & ~in_object_), next_.value_due);
  if (space_ != 0) {
    open = behind_space(open, space_, next_.open);
    key_due = behind_space(key_due, space_, next_.key_due);
    value_due = behind_space(value_due, space_, next_.value_due);
  }

  // From where a key opens, a carry runs through its text to the quote that closes it.
  const Mask key_opens = (quote_open_ & key_due) | carry_.key_string;
  Mask ran = 0;
  next_.key_string = __builtin_add_overflow(string_, key_opens, &ran) ? 1 : 0;
  const Mask key_closes = ran & quote_close_;

  Mask key = shifted(key_closes, next_.key);
  const Mask scalar_or_behind = scalar << 1 | carry_.scalar;
  Mask value = shifted((quote_close_ & ~key_closes) | close_, next_.value) | (scalar_or_behind & ~scalar);
  next_.scalar = scalar >> 63;
  if (space_ != 0) {
    key = behind_space(key, space_, next_.key);
    value = behind_space(value, space_, next_.value);
  }

  const Mask wrong = (key_due & ~(quote_open_ | close_)) | (value_due & ~(quote_open_ | scalar | open_ | close_)) |
                     (key ^ colon_) | (value & ~(comma_ | close_)) | (close_ & ~(value | open));
  const Mask looked_at = last_bit_ == kNoBit ? ~Mask{0} : ~Mask{0} >> (63 - last_bit_);
  if ((wrong & looked_at) != 0) return give_up();
  escaped_ &= looked_at;
  if (!check_escapes() || !check_scalars(scalar & ~scalar_or_behind & looked_at)) return give_up();
  last_is_empty_ = last_bit_ != kNoBit && (open >> last_bit_ & 1) != 0;
  return true;
}

[[gnu::always_inline]] inline bool BlockSkip::check_escapes() const noexcept {
  for (Mask rest = escaped_; rest != 0; rest &= rest - 1) {
    if (!is_plain_escape(p_[__builtin_ctzll(rest)])) return false;
  }
  return true;
}

[[gnu::always_inline]] inline bool BlockSkip::check_scalars(Mask starts) noexcept {
  for (; starts != 0; starts &= starts - 1) {
    const char* const begin = p_ + __builtin_ctzll(starts);
    if (!scalar_at(begin, end_)) return false;
    scalar_begin_ = begin;
  }
  return true;
}

[[gnu::always_inline]] inline void BlockSkip::describe(SkipPosition& at) const noexcept {
  at = {p_, State::after, carry_.escape != 0, depth_, containers_, false};
  if (carry_.in_string != 0) {
    at.state = carry_.key_string != 0 ? State::key_text : State::string;
  } else if (carry_.scalar != 0) {
    // Begun in an earlier block; whoever goes on reads it from its beginning.
    at.p = scalar_begin_;
    at.state = State::value;
  } else if (carry_.key_due != 0) {
    at.state = carry_.open != 0 ? State::first_key : State::key;
  } else if (carry_.value_due != 0) {
    at.state = carry_.open != 0 ? State::first_value : State::value;
  } else if (carry_.key != 0) {
    at.state = State::colon;
  }
}

}  // namespace KSR_JSON_ISA
}  // namespace ksr::json

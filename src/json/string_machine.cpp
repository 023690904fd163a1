#include "json/string_machine.hpp"

namespace ksr::json {
namespace {

bool is_short_escape(char c) noexcept {
  switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
      return true;
    default:
      return false;
  }
}

}  // namespace

Progress StringMachine::advance_slowly(const char*& p, const char* end) noexcept {
  for (;;) {
    if (mode_ == Mode::plain) {
      p = find_special_in_string(p, end);
      if (p == end) return Progress::more;
      if (*p == '"') {
        ++p;
        return Progress::done;
      }
      if (*p == '\\' && end - p >= 2 && is_short_escape(p[1])) {
        escaped_ = true;
        p += 2;
        continue;
      }
    }
    if (p == end) return Progress::more;
    if (breaks_off(static_cast<unsigned char>(*p))) continue;
    if (!step(static_cast<unsigned char>(*p))) return Progress::bad;
    ++p;
  }
}

// Whether a character or a surrogate pair ends before its time, where `c` begins something else.
bool StringMachine::breaks_off(unsigned char c) noexcept {
  switch (mode_) {
    case Mode::low_backslash:
      if (c == '\\') return false;
      mode_ = Mode::plain;
      break;
    case Mode::low_u:
      if (c == 'u') return false;
      mode_ = Mode::escape;
      break;
    case Mode::utf8_tail:
      if (c >= tail_min_ && c <= tail_max_) return false;
      mode_ = Mode::plain;
      break;
    default:
      return false;
  }
  low_surrogate_due_ = false;
  ill_formed_ = true;
  return true;
}

bool StringMachine::step(unsigned char c) noexcept {
  switch (mode_) {
    case Mode::plain:
      if (c < 0x20) return fail("a control character in a string");
      if (c >= 0x80) {
        step_utf8_lead(c);
        return true;
      }
      escaped_ = true;
      mode_ = Mode::escape;
      return true;
    case Mode::escape:
      return step_escape(c);
    case Mode::hex:
      return step_hex(c);
    case Mode::low_backslash:
      mode_ = Mode::low_u;
      return true;
    case Mode::low_u:
      return step_escape(c);
    case Mode::utf8_tail:
      step_utf8_tail();
      return true;
  }
  return false;
}

bool StringMachine::step_escape(unsigned char c) noexcept {
  if (c == 'u') {
    mode_ = Mode::hex;
    left_ = 4;
    code_unit_ = 0;
    return true;
  }
  if (!is_short_escape(static_cast<char>(c))) return fail("an unknown escape in a string");
  mode_ = Mode::plain;
  return true;
}

bool StringMachine::step_hex(unsigned char c) noexcept {
  unsigned digit = 0;
  if (c >= '0' && c <= '9') {
    digit = c - '0';
  } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
    digit = (c | 0x20U) - 'a' + 10;
  } else {
    return fail("no hexadecimal digit in a \\u escape");
  }
  code_unit_ = static_cast<std::uint16_t>(code_unit_ * 16U + digit);
  if (--left_ == 0) end_code_unit();
  return true;
}

void StringMachine::end_code_unit() noexcept {
  const bool high = code_unit_ >= 0xd800 && code_unit_ <= 0xdbff;
  const bool low = code_unit_ >= 0xdc00 && code_unit_ <= 0xdfff;
  ill_formed_ = ill_formed_ || low != low_surrogate_due_;
  low_surrogate_due_ = high;
  mode_ = high ? Mode::low_backslash : Mode::plain;
}

// The ranges of RFC 3629, section 4: no overlong forms, no surrogates, nothing above U+10FFFF.
void StringMachine::step_utf8_lead(unsigned char c) noexcept {
  if (c < 0xc2 || c > 0xf4) {
    ill_formed_ = true;
    return;
  }
  tail_min_ = 0x80;
  tail_max_ = 0xbf;
  left_ = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
  if (c == 0xe0) tail_min_ = 0xa0;
  if (c == 0xed) tail_max_ = 0x9f;
  if (c == 0xf0) tail_min_ = 0x90;
  if (c == 0xf4) tail_max_ = 0x8f;
  mode_ = Mode::utf8_tail;
}

void StringMachine::step_utf8_tail() noexcept {
  tail_min_ = 0x80;
  tail_max_ = 0xbf;
  if (--left_ == 0) mode_ = Mode::plain;
}

}  // namespace ksr::json

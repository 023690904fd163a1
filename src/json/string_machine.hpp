// `StringMachine` checks the inside of a JSON string byte by byte, wherever the buffers end: escapes, surrogate pairs,
// UTF-8; used by Scanner. What is no Unicode text is taken, as Go's decoder does (encoding/json, unquoteBytes), and
// noted: json_as_unicode() mends it. Lives on the thread of its reader.
#pragma once

#include <cstdint>
#include <utility>

#include "json/bytes.hpp"

namespace ksr::json {

enum class Progress : std::uint8_t { more, done, bad };

// Lives on the thread of its reader.
class StringMachine {
 public:
  void begin() noexcept {
    mode_ = Mode::plain;
    escaped_ = false;
    low_surrogate_due_ = false;
  }

  // Done: `p` stands after the closing quote. Bad: `p` stands on the byte that does not belong.
  Progress advance(const char*& p, const char* end) noexcept {
    if (mode_ == Mode::plain) {
      p = find_special_in_string(p, end);
      if (p == end) return Progress::more;
      if (*p == '"') {
        ++p;
        return Progress::done;
      }
    }
    return advance_slowly(p, end);
  }

  // Whether all there is to know of where it stands is in_escape().
  bool resumable() const noexcept { return mode_ == Mode::plain || mode_ == Mode::escape; }
  bool in_escape() const noexcept { return mode_ == Mode::escape; }
  // Continues inside a string whose beginning was read elsewhere.
  void resume(bool in_escape) noexcept {
    begin();
    mode_ = in_escape ? Mode::escape : Mode::plain;
  }

  bool escaped() const noexcept { return escaped_; }
  // A byte that is no UTF-8, or half a surrogate pair, in any string since the last call.
  bool take_ill_formed() noexcept { return std::exchange(ill_formed_, false); }
  // After bad: what is wrong.
  const char* problem() const noexcept { return problem_; }

 private:
  enum class Mode : std::uint8_t { plain, escape, hex, low_backslash, low_u, utf8_tail };

  Progress advance_slowly(const char*& p, const char* end) noexcept;
  bool breaks_off(unsigned char c) noexcept;
  bool step(unsigned char c) noexcept;
  bool step_escape(unsigned char c) noexcept;
  bool step_hex(unsigned char c) noexcept;
  void step_utf8_lead(unsigned char c) noexcept;
  void step_utf8_tail() noexcept;
  void end_code_unit() noexcept;
  bool fail(const char* problem) noexcept {
    problem_ = problem;
    return false;
  }

  Mode mode_ = Mode::plain;
  bool escaped_ = false;
  bool ill_formed_ = false;
  bool low_surrogate_due_ = false;
  // Of the hex digits or UTF-8 continuation bytes still due.
  std::uint8_t left_ = 0;
  std::uint8_t tail_min_ = 0;
  std::uint8_t tail_max_ = 0;
  std::uint16_t code_unit_ = 0;
  const char* problem_ = "";
};

}  // namespace ksr::json

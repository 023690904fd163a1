// `NumberMachine` checks a JSON number (RFC 8259, section 6) byte by byte, wherever the buffers end; used by Scanner.
// Lives on the thread of its reader.
#pragma once

#include "json/bytes.hpp"
#include "json/string_machine.hpp"

namespace ksr::json {

// Lives on the thread of its reader.
class NumberMachine {
 public:
  void begin() noexcept { mode_ = Mode::start; }

  // Done: `p` stands on the first byte after the number. Bad: on the byte that does not belong.
  Progress advance(const char*& p, const char* end) noexcept {
    for (; p != end; ++p) {
      if (is_digit(*p) && (mode_ == Mode::integer || mode_ == Mode::fraction || mode_ == Mode::exponent)) continue;
      const Mode next = step(*p);
      if (next == Mode::ended) return complete() ? Progress::done : Progress::bad;
      mode_ = next;
    }
    return Progress::more;
  }

 private:
  enum class Mode : std::uint8_t {
    start,
    minus,
    zero,
    integer,
    point,
    fraction,
    exponent_mark,
    exponent_sign,
    exponent,
    ended
  };

  bool complete() const noexcept {
    return mode_ == Mode::zero || mode_ == Mode::integer || mode_ == Mode::fraction || mode_ == Mode::exponent;
  }
  Mode step(char c) const noexcept;

  Mode mode_ = Mode::start;
};

}  // namespace ksr::json

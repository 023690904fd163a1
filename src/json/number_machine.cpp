#include "json/number_machine.hpp"

namespace ksr::json {

NumberMachine::Mode NumberMachine::step(char c) const noexcept {
  const bool exponent_mark = c == 'e' || c == 'E';
  switch (mode_) {
    case Mode::start:
      if (c == '-') return Mode::minus;
      [[fallthrough]];
    case Mode::minus:
      if (c == '0') return Mode::zero;
      return is_digit(c) ? Mode::integer : Mode::ended;
    case Mode::integer:
      if (is_digit(c)) return Mode::integer;
      [[fallthrough]];
    case Mode::zero:
      if (c == '.') return Mode::point;
      return exponent_mark ? Mode::exponent_mark : Mode::ended;
    case Mode::point:
      return is_digit(c) ? Mode::fraction : Mode::ended;
    case Mode::fraction:
      if (is_digit(c)) return Mode::fraction;
      return exponent_mark ? Mode::exponent_mark : Mode::ended;
    case Mode::exponent_mark:
      if (c == '+' || c == '-') return Mode::exponent_sign;
      [[fallthrough]];
    case Mode::exponent_sign:
    case Mode::exponent:
      return is_digit(c) ? Mode::exponent : Mode::ended;
    case Mode::ended:
      break;
  }
  return Mode::ended;
}

}  // namespace ksr::json

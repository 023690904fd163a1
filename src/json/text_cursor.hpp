// Steps over whole JSON values in text that is known to be valid. On text that is not, it stops early, and never reads
// past the end.
#pragma once

#include <string_view>

#include "json/bytes.hpp"

namespace ksr::json {

// Lives where its text does.
class TextCursor {
 public:
  explicit TextCursor(std::string_view text) : p_(text.data()), end_(text.data() + text.size()) {}

  // Whether the next byte that is no space is `c`.
  bool at(char c) {
    p_ = skip_space(p_, end_);
    return p_ != end_ && *p_ == c;
  }
  bool take(char c) {
    if (!at(c)) return false;
    ++p_;
    return true;
  }
  void skip_byte() {
    p_ = skip_space(p_, end_);
    if (p_ != end_) ++p_;
  }

  // The next value, without the spaces around it; empty when there is none or it is cut.
  std::string_view take_value();

 private:
  bool skip_string();
  bool skip_container();
  void skip_scalar();

  const char* p_;
  const char* end_;
};

}  // namespace ksr::json

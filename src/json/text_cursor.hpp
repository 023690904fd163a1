// `TextCursor` steps over whole JSON values in text that is known to be valid; used by find_pointer and FieldFilter. On
// invalid text it stops early and never reads past the end. Any thread.
#pragma once

#include <cstddef>
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

  const char* position() const noexcept { return p_; }

  // The next value, without the spaces around it; empty when there is no value or it is incomplete.
  std::string_view take_value();

 private:
  bool skip_string();
  bool skip_string_rest();
  bool skip_container();
  // True when that was the end of the container; `depth` is how many are open.
  bool skip_blocks(std::size_t& depth);
  void skip_scalar();

  const char* p_;
  const char* end_;
};

}  // namespace ksr::json

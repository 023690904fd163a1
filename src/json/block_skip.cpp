#include "json/block_skip.hpp"

#include "json/simd.hpp"

#ifdef KSR_JSON_SIMD

#include "json/block_skip_run.hpp"
#include "json/block_skip_wide.hpp"
#include "json/bytes.hpp"
#include "json/number_machine.hpp"

namespace ksr::json {
namespace {

bool ends_scalar(char c) noexcept {
  return c == ',' || c == '}' || c == ']' || is_space(c);
}

bool literal_at(const char* p, const char* end, const char* text, std::ptrdiff_t size) noexcept {
  return end - p > size && __builtin_memcmp(p, text, static_cast<std::size_t>(size)) == 0 && ends_scalar(p[size]);
}

}  // namespace

bool scalar_at(const char* p, const char* end) noexcept {
  switch (*p) {
    case 't':
      return literal_at(p, end, "true", 4);
    case 'f':
      return literal_at(p, end, "false", 5);
    case 'n':
      return literal_at(p, end, "null", 4);
    default:
      break;
  }
  // An integer, as most numbers are.
  if (is_digit(*p)) {
    const char* digit = p + 1;
    while (*p != '0' && digit != end && is_digit(*digit)) ++digit;
    if (digit != end && ends_scalar(*digit)) return true;
  }
  NumberMachine number;
  number.begin();
  return number.advance(p, end) == Progress::done && ends_scalar(*p);
}

void skip_blocks(SkipPosition& at, const char* end, unsigned max_depth) noexcept {
  if (can_skip_wide()) return skip_blocks_wide(at, end, max_depth);
  BlockSkip(at, end, max_depth).run(at);
}

}  // namespace ksr::json

#else

namespace ksr::json {

void skip_blocks(SkipPosition&, const char*, unsigned) noexcept {}

}  // namespace ksr::json

#endif

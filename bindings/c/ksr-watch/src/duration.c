#include "duration.h"

const char duration_expected[] = "expected a duration such as 30s or 1h30m";

enum { MAX_FRACTION_DIGITS = 9 };
static const int64_t ns_of_ms = 1000000;
static const int64_t max_ns = INT64_C(100) * 365 * 24 * 3600 * 1000000000;

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* Of the name of a unit; in UTF-8. */
static int is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static slice take_digits(slice* text) {
  slice digits = {text->at, 0};
  while (digits.len < text->len && is_digit(text->at[digits.len])) ++digits.len;
  *text = slice_after(*text, digits.len);
  return digits;
}

/* In nanoseconds. 0: none of them. */
static int64_t take_unit(slice* text) {
  static const struct {
    const char* name;
    int64_t ns;
  } units[] = {{"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, /* U+00B5 */
               {"\xce\xbcs", 1000},                                         /* U+03BC */
               {"ms", 1000000},     {"s", 1000000000}, {"m", INT64_C(60000000000)}, {"h", INT64_C(3600000000000)}};
  slice name = {text->at, 0};
  size_t i;
  while (name.len < text->len && is_letter(name.at[name.len])) ++name.len;
  *text = slice_after(*text, name.len);
  for (i = 0; i < sizeof units / sizeof units[0]; ++i) {
    if (slice_is(name, units[i].name)) return units[i].ns;
  }
  return 0;
}

/* `unit` times the number; more than max_ns where it is too large. */
static int64_t whole_ns(slice digits, int64_t unit) {
  int64_t ns = 0;
  size_t i;
  for (i = 0; i < digits.len; ++i) {
    if (ns > max_ns / 10) return max_ns + 1;
    ns = ns * 10 + (digits.at[i] - '0') * unit;
  }
  return ns;
}

static int64_t fraction_ns(slice digits, int64_t unit) {
  int64_t ns = 0, divisor = 1;
  size_t i;
  for (i = 0; i < digits.len; ++i) {
    divisor *= 10;
    ns += (digits.at[i] - '0') * unit / divisor;
  }
  return ns;
}

/* What is less than a millisecond is one: 0 means something else. */
static int64_t ms_of(int64_t ns) {
  return ns > 0 && ns < ns_of_ms ? 1 : ns / ns_of_ms;
}

int duration_read(slice text, int64_t* ms) {
  int64_t sum = 0;
  slice rest, whole;
  if (text.len && *text.at == '+') text = slice_after(text, 1);
  if (!text.len) return 0;
  rest = text;
  whole = take_digits(&rest);
  if (!rest.len) {
    sum = whole_ns(whole, 1000000000);
    *ms = ms_of(sum);
    return sum <= max_ns;
  }
  rest = text;
  while (rest.len) {
    slice fraction = {NULL, 0};
    int64_t unit;
    whole = take_digits(&rest);
    if (rest.len && *rest.at == '.') {
      rest = slice_after(rest, 1);
      fraction = take_digits(&rest);
    }
    unit = take_unit(&rest);
    if (!unit || (!whole.len && !fraction.len) || fraction.len > MAX_FRACTION_DIGITS) return 0;
    sum += whole_ns(whole, unit) + fraction_ns(fraction, unit);
    if (sum > max_ns) return 0;
  }
  *ms = ms_of(sum);
  return 1;
}

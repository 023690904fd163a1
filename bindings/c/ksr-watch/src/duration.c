#include "duration.h"

const char duration_expected[] = "expected a duration such as 30s or 1h30m";

enum { MAX_FRACTION_DIGITS = 9 };
static const int64_t max_ms = INT64_C(100) * 365 * 24 * 3600 * 1000;

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

static slice take_digits(slice* text) {
  slice digits = {text->at, 0};
  while (digits.len < text->len && is_digit(text->at[digits.len])) ++digits.len;
  *text = slice_after(*text, digits.len);
  return digits;
}

/* 0: none of them. */
static int64_t take_unit(slice* text) {
  static const struct {
    const char* name;
    int64_t ms;
  } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
  slice name = {text->at, 0};
  size_t i;
  while (name.len < text->len && name.at[name.len] >= 'a' && name.at[name.len] <= 'z') ++name.len;
  *text = slice_after(*text, name.len);
  for (i = 0; i < sizeof units / sizeof units[0]; ++i) {
    if (slice_is(name, units[i].name)) return units[i].ms;
  }
  return 0;
}

/* `unit` times the number; more than max_ms where it is too large. */
static int64_t whole_ms(slice digits, int64_t unit) {
  int64_t ms = 0;
  size_t i;
  for (i = 0; i < digits.len && ms <= max_ms; ++i) ms = ms * 10 + (digits.at[i] - '0') * unit;
  return ms;
}

static int64_t fraction_ms(slice digits, int64_t unit) {
  int64_t ms = 0, divisor = 1;
  size_t i;
  for (i = 0; i < digits.len; ++i) {
    divisor *= 10;
    ms += (digits.at[i] - '0') * unit / divisor;
  }
  return ms;
}

int duration_read(slice text, int64_t* ms) {
  int64_t sum = 0;
  slice rest = text;
  slice whole = take_digits(&rest);
  if (!text.len) return 0;
  if (!rest.len) {
    *ms = whole_ms(whole, 1000);
    return *ms <= max_ms;
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
    sum += whole_ms(whole, unit) + fraction_ms(fraction, unit);
    if (sum > max_ms) return 0;
  }
  *ms = sum;
  return 1;
}

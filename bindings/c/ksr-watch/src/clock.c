#include "clock.h"

#include <time.h>

static int64_t read_clock(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t monotonic_ms(void) {
  return read_clock(CLOCK_MONOTONIC);
}
int64_t wall_ms(void) {
  return read_clock(CLOCK_REALTIME);
}

/* Takes `digits` digits and then `mark` (0: nothing) off the front. */
static int take_number(slice* rest, size_t digits, char mark, int64_t* value) {
  size_t i;
  if (rest->len < digits + (mark ? 1 : 0)) return 0;
  *value = 0;
  for (i = 0; i < digits; ++i) {
    if (rest->at[i] < '0' || rest->at[i] > '9') return 0;
    *value = *value * 10 + (rest->at[i] - '0');
  }
  if (mark && rest->at[digits] != mark) return 0;
  *rest = slice_after(*rest, digits + (mark ? 1 : 0));
  return 1;
}

/* Days since 1970 in the Gregorian calendar, with years that start in March so that leap days come last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
  int64_t shifted_year = month <= 2 ? year - 1 : year;
  int64_t shifted_month = (month + 9) % 12;
  int64_t day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
  return shifted_year * 365 + shifted_year / 4 - shifted_year / 100 + shifted_year / 400 + day_of_year - 719468;
}

static int64_t take_fraction_ms(slice* rest) {
  int64_t ms = 0, unit = 100;
  if (!rest->len || *rest->at != '.') return 0;
  *rest = slice_after(*rest, 1);
  while (rest->len && *rest->at >= '0' && *rest->at <= '9') {
    ms += unit * (*rest->at - '0');
    unit /= 10;
    *rest = slice_after(*rest, 1);
  }
  return ms;
}

static int take_offset_minutes(slice* rest, int64_t* minutes) {
  int64_t hour, minute, sign;
  *minutes = 0;
  if (slice_is(*rest, "Z")) return 1;
  if (!rest->len || (*rest->at != '+' && *rest->at != '-')) return 0;
  sign = *rest->at == '-' ? -1 : 1;
  *rest = slice_after(*rest, 1);
  if (!take_number(rest, 2, ':', &hour) || !take_number(rest, 2, 0, &minute) || rest->len) return 0;
  *minutes = sign * (hour * 60 + minute);
  return 1;
}

int timestamp_read(slice text, int64_t* ms) {
  int64_t year, month, day, hour, minute, second, fraction, offset;
  slice rest = text;
  if (!take_number(&rest, 4, '-', &year) || !take_number(&rest, 2, '-', &month) || !take_number(&rest, 2, 'T', &day) ||
      !take_number(&rest, 2, ':', &hour) || !take_number(&rest, 2, ':', &minute) ||
      !take_number(&rest, 2, 0, &second)) {
    return 0;
  }
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return 0;
  fraction = take_fraction_ms(&rest);
  if (!take_offset_minutes(&rest, &offset)) return 0;
  *ms = (((days_of(year, month, day) * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + fraction;
  return 1;
}

static void add_two(struct text* out, int64_t coarse, char unit, int64_t fine, char fine_unit) {
  text_addf(out, "%ld%c", (long)coarse, unit);
  if (fine) text_addf(out, "%ld%c", (long)fine, fine_unit);
}

/* The steps are those of k8s.io/apimachinery/pkg/util/duration.HumanDuration. */
void age_add(struct text* out, int64_t ms) {
  int64_t seconds = ms / 1000, minutes = seconds / 60, hours = minutes / 60, days = hours / 24;
  if (seconds < -1) {
    text_add(out, slice_of("<invalid>"));
  } else if (seconds < 0) {
    text_add(out, slice_of("0s"));
  } else if (seconds < 120) {
    add_two(out, seconds, 's', 0, 0);
  } else if (minutes < 10) {
    add_two(out, minutes, 'm', seconds % 60, 's');
  } else if (minutes < 180) {
    add_two(out, minutes, 'm', 0, 0);
  } else if (hours < 8) {
    add_two(out, hours, 'h', minutes % 60, 'm');
  } else if (hours < 48) {
    add_two(out, hours, 'h', 0, 0);
  } else if (days < 8) {
    add_two(out, days, 'd', hours % 24, 'h');
  } else if (days < 730) {
    add_two(out, days, 'd', 0, 0);
  } else {
    add_two(out, days / 365, 'y', days < 2920 ? days % 365 : 0, 'd');
  }
}

#include "clock.h"

#include <time.h>

int64_t monotonic_ms(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) return 0;
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
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

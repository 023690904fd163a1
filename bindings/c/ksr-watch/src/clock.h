/* Clocks, and ages as kubectl writes them. */
#ifndef KSR_WATCH_CLOCK_H
#define KSR_WATCH_CLOCK_H

#include <stdint.h>

#include "text.h"

int64_t monotonic_ms(void);

/* "45s", "3m12s", "5h", "12d": two figures at most, the finer one for small values only. */
void age_add(struct text* out, int64_t ms);

#endif

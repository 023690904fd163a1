/* Clocks, timestamps of the API, and ages as kubectl writes them. */
#ifndef KSR_WATCH_CLOCK_H
#define KSR_WATCH_CLOCK_H

#include <stdint.h>

#include "slice.h"
#include "text.h"

int64_t monotonic_ms(void);
int64_t wall_ms(void);

/* An RFC 3339 timestamp as milliseconds since 1970; 0 when it is not valid. */
int timestamp_read(slice text, int64_t* ms);

/* "45s", "3m12s", "5h", "12d": two figures at most, the finer one for small values only. */
void age_add(struct text* out, int64_t ms);

#endif

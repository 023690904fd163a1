/* Durations as kubectl's options take them; used by ksr-watch and by the commands of ksr. Any thread. */
#ifndef KSR_WATCH_DURATION_H
#define KSR_WATCH_DURATION_H

#include <stdint.h>

#include "slice.h"

/* Go's: "90s", "1h30m", "1.5h", "100us"; digits alone are seconds. Less than a millisecond is one. 0 for anything else,
 * also for what is longer than a hundred years. */
int duration_read(slice text, int64_t* ms);

/* What is expected, for messages. */
extern const char duration_expected[];

#endif

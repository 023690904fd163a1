/* The outputs that are not a screen: each snapshot printed as it comes. */
#ifndef KSR_WATCH_OUTPUT_H
#define KSR_WATCH_OUTPUT_H

#include "watch.h"

/* Prints watch->latest in the requested format. */
void output_snapshot(struct watch* watch, int is_first);

#endif

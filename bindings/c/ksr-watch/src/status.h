/* The lines above the table. */
#ifndef KSR_WATCH_STATUS_H
#define KSR_WATCH_STATUS_H

#include "watch.h"

/* Resource, state, count, freshness, events, resourceVersion. Adds one line of at most `width` cells, without its end.
 */
void status_add(const struct watch* watch, size_t width, struct text* out);

/* The last error while it matters, else the last log line; 0 when there is nothing to tell. */
int status_add_news(const struct watch* watch, size_t width, int64_t now, struct text* out);

#endif

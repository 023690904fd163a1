/* The lines above the table. */
#ifndef KSR_WATCH_STATUS_H
#define KSR_WATCH_STATUS_H

#include "watch.h"

/* Resource, state, count, freshness, events, resourceVersion. Adds one line of at most `width` cells, without its end.
 */
void status_add(const struct watch* watch, size_t width, struct text* out);

/* Adds the last error while it is recent, else the last log line, in at most `cells` cells; nothing when there is
 * neither. */
void status_add_news(const struct watch* watch, size_t cells, int64_t now, struct text* out);

#endif

/* JSON text as one line. */
#ifndef KSR_WATCH_JSON_LINE_H
#define KSR_WATCH_JSON_LINE_H

#include "slice.h"
#include "text.h"

/* Adds JSON text as one line that holds no control character: an equal text. */
void json_add_line(struct text* out, slice json);

#endif

/* JSON text that a terminal can only show. */
#ifndef KSR_WATCH_JSON_LINE_H
#define KSR_WATCH_JSON_LINE_H

#include "slice.h"
#include "text.h"

/* Adds JSON text as one line of an equal text: what a terminal would obey, or what reorders or hides text there, is
 * escaped. */
void json_add_line(struct text* out, slice json);

/* The same with the line ends and blanks that the text has. */
void json_add_shown(struct text* out, slice json);

#endif

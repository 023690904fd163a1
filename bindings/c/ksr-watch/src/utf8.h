/* Characters, how many cells of a terminal they take, and which may be shown. */
#ifndef KSR_WATCH_UTF8_H
#define KSR_WATCH_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "slice.h"
#include "text.h"

#define UTF8_REPLACEMENT 0xFFFDu

/* Takes one character off the front of `rest`, which must not be empty. Invalid bytes come as UTF8_REPLACEMENT, one at
 * a time. */
uint32_t utf8_next(slice* rest);

/* 0, 1 or 2 cells. */
size_t utf8_width_of(uint32_t character);
size_t utf8_width(slice text);

/* 0 for what a terminal obeys, and for what reorders or hides text there. */
int utf8_is_harmless(uint32_t character);

/* Adds `text` so that a terminal can only show it: control characters in caret notation, line breaks and tabs as a
 * space, whatever reorders or hides text as a replacement character. */
void utf8_add_shown(struct text* out, slice text);

/* The longest prefix of a shown text that fits `width` cells. */
slice utf8_front(slice text, size_t width);

/* Adds a shown text in at most `width` cells, with an ellipsis at its end when it had to be cut. */
void utf8_add_fitted(struct text* out, slice shown, size_t width);

#endif

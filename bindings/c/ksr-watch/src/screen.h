/* The table that is redrawn in place. */
#ifndef KSR_WATCH_SCREEN_H
#define KSR_WATCH_SCREEN_H

#include "keys.h"
#include "watch.h"

/* Where the terminal is the shell's: leaves it, until screen_draw finds it to be ours. */
void screen_enter(struct watch* watch);
/* Of a watch that goes live, the first time. What a credential plugin asks for before is not painted over. */
void screen_begin(struct watch* watch);
/* Restores the screen and prints the last view below what was there before. */
void screen_leave(struct watch* watch);

/* Takes watch->latest over; `marked`: what changed in it is to be highlighted. */
void screen_note_changes(struct watch* watch, int marked);

/* Moves the rows as less does. */
void screen_scroll(struct watch* watch, enum key key);

/* Draws the current view, if that differs from what the screen shows; returns milliseconds until the next redraw.
 */
int screen_draw(struct watch* watch);

/* The screen no longer shows what was drawn. */
void screen_forget(struct watch* watch);

#endif

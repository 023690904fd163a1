/* The table that is redrawn in place. */
#ifndef KSR_WATCH_SCREEN_H
#define KSR_WATCH_SCREEN_H

#include "watch.h"

void screen_enter(struct watch* watch);
/* Gives the screen back and prints the last view below what stood there before. */
void screen_leave(struct watch* watch);

/* Takes watch->latest over; `marked`: what changed in it is to catch the eye. */
void screen_note_changes(struct watch* watch, int marked);

/* Draws what is to be seen now, if that differs from what the screen shows; milliseconds until it needs another look.
 */
int screen_draw(struct watch* watch);

/* The screen shows nothing of ours any more. */
void screen_forget(struct watch* watch);

#endif

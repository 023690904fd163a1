/* What is printed where there is no terminal, or line by line. */
#ifndef KSR_WATCH_OUTPUT_H
#define KSR_WATCH_OUTPUT_H

#include "watch.h"

/* The newest snapshot has come. */
void output_snapshot(struct watch* watch, int is_first);
/* Prints what waits, once its rows are there; ends the stream when that was the last. */
void output_continue(struct watch* watch);
/* Prints what waits with those rows that are there. */
void output_finish(struct watch* watch);
/* Of the server, that have come with rows. */
void output_warnings(struct watch* watch);
int output_waits(const struct watch* watch);
/* Puts a snapshot into the order that is shown. */
void output_sort(struct watch* watch, const ksr_snapshot* snapshot);
void output_free(struct watch* watch);

#endif
